"""Quantities are read once, exactly, and shown as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmic.errors import SpecError, UnitError, UnknownNameError
from cosmic.units import GB, TFLOPS, US, GiB, format_quantity, parse

UNITS = ("B", "B/s", "FLOP", "FLOP/s", "s")


@given(value=st.floats(0, 1e300), unit=st.sampled_from([*UNITS, "USD"]))
def test_a_number_in_the_si_unit_is_read_as_it_is(value: float, unit: str) -> None:
    assert parse(f"{value!r} {unit}", unit) == value


@given(value=st.floats(1e-9, 1e17), unit=st.sampled_from(UNITS))
def test_what_is_shown_reads_back_to_three_digits(value: float, unit: str) -> None:
    text = format_quantity(value, unit)

    # half of the last of three digits: 0.5 / 100 of the value at the most
    assert parse(text, unit) == pytest.approx(value, rel=0.005001)


@given(value=st.floats(1e-9, 1e17), unit=st.sampled_from(UNITS))
def test_what_is_shown_is_shown_the_same_again(value: float, unit: str) -> None:
    text = format_quantity(value, unit)

    assert format_quantity(parse(text, unit), unit) == text


@given(text=st.text(), unit=st.sampled_from(UNITS))
def test_any_text_is_read_or_refused_in_one_line(text: str, unit: str) -> None:
    try:
        value = parse(text, unit)
    except UnitError as error:
        value, message = 0.0, str(error)
    else:
        message = ""

    assert math.isfinite(value)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("187.5 GB/s", "B/s", 187.5e9),
        ("187.5GB/s", "B/s", 187.5e9),
        ("400 Gb/s", "B/s", 50e9),
        ("1 GiB/s", "B/s", 2**30),
        ("24 GB", "B", 24e9),
        ("80 GiB", "B", 80 * 2**30),
        ("5 kB", "B", 5e3),
        ("5 KB", "B", 5e3),
        ("1e3 B", "B", 1e3),
        ("700 ns", "s", 700e-9),  # and not 7.000000000000001e-07, as 700 * 1e-9 is
        ("0.5 us", "s", 0.5e-6),
        ("0.5 µs", "s", 0.5e-6),
        ("0.5 μs", "s", 0.5e-6),
        ("3 ms", "s", 3e-3),
        ("312 TFLOP/s", "FLOP/s", 312e12),
        ("312 TFLOPS", "FLOP/s", 312e12),
        ("2 PFLOP", "FLOP", 2e15),
        ("4 USD", "USD", 4.0),
    ],
)
def test_prefixes_and_spellings(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == value


@pytest.mark.parametrize("text", ["50", "GB/s", "", "nan B/s", "inf B/s", "1,000 B/s"])
def test_a_number_without_unit_is_refused(text: str) -> None:
    with pytest.raises(
        UnitError, match=r"^write a quantity with its unit, such as '1 B/s'$"
    ):
        parse(text, "B/s")


@pytest.mark.parametrize("text", ["50 GB", "50 gb/s", "50 GB/s/s", "5 EB/s", "5 s"])
def test_a_wrong_unit_is_refused(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, "B/s")

    allowed = "write B/s, GB/s, TB/s or Gb/s"
    assert str(caught.value) == f"{text!r} is not in B/s; {allowed}"


def test_a_value_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(UnitError, match="'1e999 GB' is too large"):
        parse("1e999 GB", "B")


def test_a_value_below_the_minimum_is_refused() -> None:
    assert parse("-5 ns", "s") == -5e-9
    with pytest.raises(UnitError, match="'-5 ns' is less than 0 s"):
        parse("-5 ns", "s", minimum=0)


def test_a_very_long_text_is_not_repeated() -> None:
    with pytest.raises(UnitError, match="write a quantity with its unit"):
        parse("1" * 1_000_000 + " GB", "B")


def test_an_unknown_unit_is_the_callers_mistake() -> None:
    with pytest.raises(UnknownNameError, match="no unit named 'W'"):
        parse("5 W", "W")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (24e9, "B", "24 GB"),
        (3.2149, "s", "3.21 s"),
        (0.01234, "s", "12.3 ms"),
        (20e-9, "s", "20 ns"),
        (0.0, "s", "0 s"),
        (-1.5e-3, "s", "-1.5 ms"),
        (187.5e9, "B/s", "188 GB/s"),
        (999.6e6, "B", "1 GB"),  # and not 1000 MB
        (341.0, "s", "341 s"),
        (12345.0, "s", "12300 s"),
        (math.inf, "s", "inf s"),
        (9441280.0, "USD", "9,441,280 USD"),
        (2.5, "USD", "2.50 USD"),
        (0.45678, "", "0.457"),
    ],
)
def test_what_people_read(value: float, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text


def test_constants_agree_with_the_parser() -> None:
    assert parse("1 GB", "B") == GB
    assert parse("1 GiB", "B") == GiB
    assert parse("1 us", "s") == US
    assert parse("1 TFLOP/s", "FLOP/s") == TFLOPS


def test_a_unit_error_is_a_spec_error() -> None:
    with pytest.raises(SpecError):
        parse("5", "B")
