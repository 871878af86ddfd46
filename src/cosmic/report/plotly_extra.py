"""The extra that draws in the browser: Plotly, which brings its JavaScript along."""

from cosmic.errors import CosmicError

try:
    from plotly.offline import get_plotlyjs
except ImportError as error:
    raise CosmicError(
        "reports need Plotly and Jinja: pip install 'plotly>=6' 'jinja2>=3.1', or "
        "install cosmic with its extra, cosmic[report]"
    ) from error

__all__ = ["plotly_script"]


def plotly_script() -> str:
    """The JavaScript of Plotly, to be written into a page."""
    return str(get_plotlyjs())
