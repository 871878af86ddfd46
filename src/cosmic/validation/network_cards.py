"""What sources say about the network cards of a node, as bandwidth of a device."""

import re

_UNIT = r"\s*(?:Gb/s|Gb/Sec|Gbps|Gbit/s|Gb)\b"
_PER_DEVICE = re.compile(rf"(\d+){_UNIT}[^,;]*\bper (?:GPU|device)")
_PER_NODE = re.compile(rf"(\d+){_UNIT}[^,;]*(?:per node|node-node)")
_CARDS = re.compile(rf"(\d+)\s*x(?![a-z])[^,;]*?(\d{{2,4}}){_UNIT}")
_OTHER_PURPOSES = re.compile(r"(?i)management|storage|ethernet 10\d*\s*G")


def device_bandwidth(nic: str, node: int) -> float | None:
    """What one device can send over the network cards, in B/s, if the text says.

    Of cards for several purposes those count that are for computing.

    Args:
        nic: What the source says.
        node: Devices that share the cards of a node.

    >>> device_bandwidth("4 x 100Gb RoCE per node", 8) / 1e9
    6.25
    >>> device_bandwidth("Storage: 2x NDR 400Gb/s, Compute: 8x NDR 400Gb/s", 8) / 1e9
    50.0
    """
    parts = re.split(r"[,;]", nic)
    compute = [part for part in parts if "compute" in part.lower()]
    others = [part for part in parts if not _OTHER_PURPOSES.search(part)]
    for part in compute or others:
        gigabits = _gigabits_of_node(part, node)
        if gigabits is not None:
            return gigabits / node * 1e9 / 8
    return None


def _gigabits_of_node(text: str, node: int) -> float | None:
    if said := _PER_DEVICE.search(text):
        return float(said[1]) * node
    if cards := _CARDS.search(text):
        return float(cards[1]) * float(cards[2])
    if said := _PER_NODE.search(text):
        return float(said[1])
    return None
