"""The extra that fills in pages: Jinja, which escapes whatever is put into them."""

import re

from cosmic.errors import CosmicError

try:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup
except ImportError as error:
    raise CosmicError(
        "reports need Plotly and Jinja: pip install 'plotly>=6' 'jinja2>=3.1', or "
        "install cosmic with its extra, cosmic[report]"
    ) from error

__all__ = ["fill_in"]

_WITHIN_WORDS = re.compile(r"(?<=_)(?=.)|(?<=[a-z])(?=[A-Z])")


def fill_in(template: str, **values: object) -> str:
    """A template with its values, as HTML; text among them is escaped.

    Args:
        template: In the language of Jinja.
        values: By the names that the template uses; a name without one is an error.
    """
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = _breakable
    return environment.from_string(template).render(**values)


def _breakable(text: str) -> Markup:
    """A text, escaped, that a narrow column may break within names.

    >>> print(_breakable("all_reduce <doubleBinaryTree>"))
    all_<wbr>reduce &lt;double<wbr>Binary<wbr>Tree&gt;
    """
    return Markup("<wbr>").join(_WITHIN_WORDS.split(text))
