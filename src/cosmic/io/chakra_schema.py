"""The messages of Chakra execution traces, for the protobuf runtime.

A trace file holds one message of metadata and then one message a node. Three layouts
of nodes are in use, and the first messages of a file tell which it has:

* 0.0.1 (January 2023): every quantity is a field of the node, no metadata;
* 0.0.3 (July and August 2023): quantities are attributes, a name and a typed value;
* 0.0.4 (October 2023) and 1.0: attributes are a name and one of thirty kinds of
  values, dependencies are told apart, the duration is a field.

0.0.2 was never written by a released converter, and is not read. Attributes are
declared as bytes here, which look the same in a file: so an attribute is parsed only
once, however many nodes hold the same one. Fields that nothing here asks for are left
out; the runtime skips them.

Reference:
    MLCommons Chakra, https://github.com/mlcommons/chakra, `et_def.proto` at v0.0.4 and
    at 29de3e1 and 9d917e3 (0.0.3), `eg_def.proto` at df405e8 (0.0.1), for the numbers
    of fields.
"""

from collections.abc import Mapping
from typing import Any

from cosmic.errors import CosmicError

try:
    from google.protobuf import empty_pb2
    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        FieldDescriptorProto,
        FileDescriptorProto,
    )
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message import DecodeError
    from google.protobuf.message_factory import GetMessageClass
    from google.protobuf.unknown_fields import UnknownFieldSet
except ImportError as error:
    raise CosmicError(
        "Chakra traces need Protocol Buffers: pip install 'protobuf>=5', or install "
        "cosmic with its extra, cosmic[chakra]"
    ) from error

__all__ = ["DELIMITED", "SCHEMA", "VARINT", "VERSION", "DecodeError", "fields_of"]

VERSION = "0.0.4"  # what is written
VARINT, DELIMITED = 0, 2  # wire types

_PACKAGE = "cosmic.chakra"

# Of 0.0.4, the scalar kinds of an attribute's value: the value of the first is field 3
# and a list of them field 4, those of the second 5 and 6, and so on.
_SCALARS = (
    *("double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64"),
    *("fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes"),
)

# Message: field: (number, kind), where a star stands for "any number of them".
_Fields = Mapping[str, tuple[int, str]]
_MESSAGES: dict[str, _Fields] = {
    "Metadata": {"version": (1, "string"), "attr": (2, "bytes*")},
    "Node": {
        "id": (1, "uint64"),
        "name": (2, "string"),
        "type": (3, "int32"),
        "ctrl_deps": (4, "uint64*"),
        "data_deps": (5, "uint64*"),
        "duration_micros": (7, "uint64"),
        "attr": (10, "bytes*"),
    },
    "Attribute": {
        "name": (1, "string"),
        **{f"{kind}_val": (3 + 2 * i, kind) for i, kind in enumerate(_SCALARS)},
        **{
            f"{kind}_list": (4 + 2 * i, f"{kind}List")
            for i, kind in enumerate(_SCALARS)
        },
    },
    **{f"{kind}List": {"values": (1, f"{kind}*")} for kind in _SCALARS},
    "AttributeNode": {
        "id": (1, "uint64"),
        "name": (2, "string"),
        "type": (3, "int32"),
        "parent": (4, "uint64*"),
        "attribute": (11, "bytes*"),
    },
    "AugustAttribute": {
        "name": (1, "string"),
        "type": (2, "int32"),
        "bool": (4, "bool"),
        "float": (5, "float"),
        "uint": (6, "uint64"),
        "int": (7, "int64"),
        "string": (8, "string"),
        "bools": (9, "bool*"),
        "floats": (10, "float*"),
        "uints": (11, "uint64*"),
        "ints": (12, "int64*"),
        "strings": (13, "string*"),
    },
    "JulyAttribute": {
        "name": (1, "string"),
        "type": (2, "int32"),
        "bool": (4, "bool"),
        "float": (5, "float"),
        "int": (6, "int64"),
        "string": (7, "string"),
        "bools": (8, "bool*"),
        "floats": (9, "float*"),
        "ints": (10, "int64*"),
        "strings": (11, "bytes*"),
    },
    "FlatNode": {
        "id": (1, "uint64"),
        "name": (2, "string"),
        "type": (3, "int32"),
        "parent": (4, "uint64*"),
        "tensor_size": (6, "uint64"),
        "simulated_run_time": (7, "uint64"),
        "num_ops": (12, "uint64"),
        "comm_type": (13, "int32"),
        "involved_dim": (14, "bool*"),
        "communicator_id": (15, "uint32"),
        "comm_src": (16, "uint32"),
        "comm_dst": (17, "uint32"),
        "comm_size": (18, "uint64"),
        "comm_tag": (19, "uint32"),
    },
}


class _Schema:
    """The message classes.

    Attributes:
        metadata: What a file begins with (0.0.4).
        node: A node (0.0.4 and 1.0); its `attr` are attributes as bytes.
        attribute: A name, and a value in one field of the `value` kind.
        attribute_node: A node of 0.0.3; its `attribute` are attributes as bytes.
        attributes_of_2023: Attributes of 0.0.3 as they were in August and in July: a
            name, a type, and a value in field `type + 4`.
        flat_node: A node of 0.0.1.
    """

    def __init__(self) -> None:
        file = FileDescriptorProto(
            name="cosmic/chakra.proto", package=_PACKAGE, syntax="proto3"
        )
        for name, fields in _MESSAGES.items():
            _describe(file.message_type.add(), name, fields)
        pool = DescriptorPool()
        pool.Add(file)

        # The classes are made at run time: no type checker can know their fields.
        def made(name: str) -> Any:
            return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))

        self.metadata = made("Metadata")
        self.node = made("Node")
        self.attribute = made("Attribute")
        self.attribute_node = made("AttributeNode")
        self.attributes_of_2023 = (made("AugustAttribute"), made("JulyAttribute"))
        self.flat_node = made("FlatNode")


def _describe(message: DescriptorProto, name: str, fields: _Fields) -> None:
    """Fill in the description of one message."""
    message.name = name
    for field_name, (number, kind) in fields.items():
        scalar = kind.removesuffix("*")
        field = message.field.add(name=field_name, number=number)
        if scalar in _SCALARS:
            field.type = FieldDescriptorProto.Type.Value(f"TYPE_{scalar.upper()}")
        else:
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".{_PACKAGE}.{scalar}"
        if kind.endswith("*"):
            field.label = FieldDescriptorProto.LABEL_REPEATED
        else:
            field.label = FieldDescriptorProto.LABEL_OPTIONAL
            _say_whether_it_is_there(message, field)


def _say_whether_it_is_there(
    message: DescriptorProto, field: FieldDescriptorProto
) -> None:
    """Tell a field that is 0 from one that is absent.

    The values of an attribute exclude each other; other fields stand alone, each in a
    choice of one, which is how the runtime spells this. Choices of one come last.
    """
    if message.name == "Attribute" and field.name == "name":
        return
    is_value = message.name == "Attribute"
    if not message.oneof_decl or not is_value:
        message.oneof_decl.add(name="value" if is_value else f"_{field.name}")
    field.oneof_index = len(message.oneof_decl) - 1
    field.proto3_optional = not is_value


SCHEMA = _Schema()


def fields_of(message: bytes) -> dict[tuple[int, int], Any]:
    r"""The first of each field in some bytes, by number and wire type.

    Raises:
        DecodeError: They are no message at all.

    >>> fields_of(b"\x08\x07")  # field 1, as a varint
    {(1, 0): 7}
    """
    found: dict[tuple[int, int], Any] = {}
    fields = UnknownFieldSet(empty_pb2.Empty.FromString(message))
    for index in range(len(fields)):
        field = fields[index]
        found.setdefault((field.field_number, field.wire_type), field.data)
    return found
