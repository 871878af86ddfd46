"""What a whole system costs to buy, in dollars: its devices and its network.

A device costs what its parts cost,

    base + compute F / 1e12 + memory_bandwidth B / 1e9 + memory C / 1e9

for F operations a second, B bytes a second to and from its memory, and C bytes of it.
There is no public price list of accelerators by parts, so a scenario has to say one;
without it, nothing is known of the price of a system. The presets fit the rate of
compute and that of memory bandwidth to two devices that are sold, and say so.
"""

from dataclasses import dataclass

from cosmic.compute.device import Device
from cosmic.units import GB, TFLOPS, Dollars


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePrices:
    """A price list of what devices are made of.

    Attributes:
        compute: Dollars for each TFLOP/s of the peak in bf16 or fp16.
        memory_bandwidth: Dollars for each GB/s to and from memory.
        memory: Dollars for each GB of memory.
        base: Dollars for a device, whatever it can do, with its share of the host.
    """

    compute: float = 0.0
    memory_bandwidth: float = 0.0
    memory: float = 0.0
    base: float = 0.0


def device_cost(device: Device, prices: DevicePrices) -> Dollars:
    """The price of one device.

    >>> h100 = Device(
    ...     peak_flops=989e12, memory_bandwidth=3350e9, memory_capacity=80e9
    ... )
    >>> device_cost(h100, DevicePrices(compute=20, memory_bandwidth=3))
    29830.0
    """
    return (
        prices.base
        + prices.compute * device.peak_flops / TFLOPS
        + prices.memory_bandwidth * device.memory_bandwidth / GB
        + prices.memory * device.memory_capacity / GB
    )


def system_cost(
    devices: int, device: Device, network: Dollars, prices: DevicePrices
) -> Dollars:
    """The price of all devices and of their network.

    Args:
        devices: How many.
        device: One of them.
        network: What their network costs.
        prices: What devices cost.
    """
    return devices * device_cost(device, prices) + network
