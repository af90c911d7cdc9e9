"""The shipped tables say what the installed libraries say; `python -m tests.bench.make_tables` writes them anew."""

import gzip

from tests.bench.make_tables import DATA, country_lines, country_names, us_states, zip_lines


def test_names_of_countries_are_those_of_babel() -> None:
    shipped = gzip.decompress((DATA / "country_names.tsv.gz").read_bytes()).decode()
    assert shipped == country_lines(country_names())


def test_states_of_zips_are_those_of_zipcodes() -> None:
    assert (DATA / "us_zips.txt").read_text("utf-8") == zip_lines(us_states())
