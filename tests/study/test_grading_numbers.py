"""Numbers and quantities as students write them, in three languages and in TeX."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.grading.numbers import same_number
from tools.grading.units import convert, unit_of
from tools.study.keys import Number

FAST = settings(max_examples=60, deadline=None)

NUMBERS = [
    ("1 234,5", 1234.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1'234.5", 1234.5), ("1234,5", 1234.5), ("1.2345e3", 1234.5),
    ("1,2345·10^3", 1234.5), ("$1.2345 \\times 10^{3}$", 1234.5), ("0,5", 0.5), (".5", 0.5), ("1/2", 0.5), ("½", 0.5), ("1 1/2", 1.5),
    ("1½", 1.5), ("50 %", 0.5), ("50 Prozent", 0.5), ("−3", -3), ("- 3", -3), ("three", 3), ("drei", 3), ("trois", 3), ("3 million", 3e6),
    ("2,5 Mio.", 2.5e6), ("10^-3", 1e-3), ("10⁻³", 1e-3), ("x = 2 · 3 = 6", 6), ("ungefähr 7", 7), ("1 000 000", 1e6), ("\\frac{3}{4}", 0.75),
    ("3 Milliarden", 3e9), ("1.234.567", 1234567), ("12.", 12),
]  # fmt: skip


@pytest.mark.parametrize(("said", "value"), NUMBERS)
def test_a_number_is_read_however_it_is_written(said: str, value: float) -> None:
    assert same_number(Number(value=value), said).right
    assert not same_number(Number(value=value * 1.01 + 0.01), said).right


UNITS = [
    ("36 km/h", 10, "m/s"), ("10 m s^-1", 10, "m/s"), ("10 metres per second", 10, "m/s"), ("1 Stunde", 3600, "s"), ("2,5 kg", 2500, "g"),
    ("37 °C", 310.15, "K"), ("310.15 K", 37, "°C"), ("98.6 degrees Fahrenheit", 37, "°C"), ("32 °F", 0, "°C"), ("1 bar", 1e5, "Pa"), ("500 mL", 0.5, "L"),
    ("1 eV", 1.602176634e-19, "J"), ("5 µm", 5e-6, "m"), ("5 um", 5e-6, "m"), ("1 kWh", 3.6e6, "J"), ("9,81 N/kg", 9.81, "m/s^2"),
    ("100 cm²", 0.01, "m^2"), ("3 kilomètres", 3000, "m"), ("0.5", 50, "%"), ("50", 50, "%"), ("12", 12, "m/s"), ("2 dm³", 2, "L"),
    ("4 Quadratmeter", 4, "m^2"), ("4 square metres", 4, "m²"), ("1 g/cm^3", 1000, "kg/m^3"), ("0,1 mol/L", 100, "mol/m^3"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "value", "unit"), UNITS)
def test_a_quantity_may_be_given_in_another_unit(said: str, value: float, unit: str) -> None:
    assert same_number(Number(value=value, unit=unit), said).right


WRONG_NUMBERS = [
    ("5 kg", 5, "m"), ("36 km", 36, "km/h"), ("3 or 5", 5, None), ("not a number", 5, None), ("5 g", 5, "kg"), ("-5", 5, None),
    ("between 4 and 6", 5, None), ("10 m", 10, "cm"), ("5", 5.1, None),
]  # fmt: skip


@pytest.mark.parametrize(("said", "value", "unit"), WRONG_NUMBERS)
def test_another_quantity_is_wrong(said: str, value: float, unit: str | None) -> None:
    compared = same_number(Number(value=value, unit=unit), said)
    assert not compared.right
    assert compared.why.endswith(".")


@FAST
@given(
    st.floats(-1e9, 1e9).map(lambda x: round(x, 4)),
    st.floats(0, 10).map(lambda x: round(x, 3)),
    st.floats(-20, 20).map(lambda x: round(x, 3)),
)
def test_a_number_is_right_within_its_tolerance_with_point_and_with_comma(
    value: float, tolerance: float, off: float
) -> None:
    said = f"{value + off:.4f}"
    sure = abs(abs(off) - tolerance) > 1e-3
    for text in (said, said.replace(".", ",")):
        right = same_number(Number(value=value, tolerance=tolerance), text).right
        assert right == (abs(off) <= tolerance) or not sure


@FAST
@given(
    st.floats(-1e6, 1e6),
    st.sampled_from(
        [("km", "m"), ("°C", "K"), ("°F", "°C"), ("mg/L", "kg/m^3"), ("h", "s"), ("kJ/(kg K)", "J/(g·K)")]
    ),
)
def test_a_unit_there_and_back_is_the_same_value(value: float, units: tuple[str, str]) -> None:
    one, other = (unit_of(name) for name in units)
    assert one is not None
    assert other is not None
    there = convert(value, one, other)
    assert there is not None
    back = convert(there, other, one)
    assert back is not None
    assert abs(back - value) <= 1e-6 * max(1.0, abs(value))
