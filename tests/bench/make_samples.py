"""Makes the invented files of `samples/inbox` anew; they are committed, so this runs only when they are to change.

    python -m tests.bench.make_samples --out samples/inbox

The same bytes every time. Prints per file what should become of its records.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.people import pick, write_company
from tests.bench.sample_people import Cells, Crowd, Row, change, written

Files = dict[str, tuple[bytes, Counter[str]]]
START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)

GERMAN = {"DE": "Deutschland", "US": "USA", "GB": "Großbritannien", "FR": "Frankreich", "ES": "Spanien"}
GERMAN_INDUSTRY = {"Manufacturing": "Fertigung", "Construction": "Bau", "Logistics": "Logistik", "Energy": "Energie"}
QUESTIONS = (
    "Please send me a quote for 40 seats, we start in January.", 'My colleague said "call them", so here I am, twice.',
    "pricing?", "n/a", "", "We saw your talk 👍 — what does it cost,\nand how soon?",
)  # fmt: skip
OWN_QUESTIONS = {
    "DE": "Bitte um Rückruf am Vormittag, danke!",
    "FR": "Nous cherchons une solution pour 3 sites, merci de me rappeler.",
    "ES": "¿Tienen precios para empresas pequeñas?",
    "PL": "Proszę o kontakt w sprawie integracji.",
    "BG": "Прошу за оферта до края на месеца.",
}


def webinar(crowd: Crowd) -> Files:
    """A webinar tool's export, and the same file downloaded twice."""
    random, names = crowd.random, {
        "First Name": "first_name", "Last Name": "last_name", "Email Address": "email", "Company": "company",
        "Job Title": "title", "Phone": "phone", "Country": "country", "Registered At": "created_at",
    }  # fmt: skip
    rows = written(random, crowd.meet(360, "US US GB DE FR ES PL"), crowd.known(55, "DE FR GB US"))
    _in_time(rows, "%Y-%m-%d %H:%M:%S")
    change(rows, 37, lambda cells: cells.update(phone="", email=f"  {cells['email'].upper()} "))
    _insert(rows, 40, "aside", first_name="Test", last_name="Test", email="test@example.com", company="Test")
    _insert(rows, 170, "lead", first_name="Wanda", last_name="Wegwerf", email="sluice-demo@mailinator.com")
    for place, spelling in ((60, "sluice.demo.anna@gmail.com"), (210, "S.luiceDemo.Anna+webinar@gmail.com")):
        _insert(rows, place, "lead" if place == 60 else "again", first_name="Anna", last_name="Demo", email=spelling)
    lines = _lines(rows, names)
    lines.insert(120, "")
    lines.insert(300, "Ola,Ragged,ola.ragged@ragged.example,Ragged Ltd")
    lines.insert(330, "Una,Ragged,una@ragged.example,Ragged Ltd,CEO,,GB,2026-10-06 10:00:00,one cell,too many")
    fates = _fates(rows) + Counter({"reject": 2, "blank line": 1})
    content = b"\xef\xbb\xbf" + "".join(f"{line}\r\n" for line in lines).encode()
    return {
        "webinar/webinar-2026-10.csv": (content, fates),
        "webinar/webinar-2026-10_copy.csv": (content, Counter({"duplicate_of": fates.total()})),
    }


def trade_show(crowd: Crowd) -> Files:
    """Badge scans of a fair in Hannover: German columns, semicolons, Windows' encoding."""
    random, names = crowd.random, {
        "Vorname": "first_name", "Nachname": "last_name", "E-Mail": "email", "Firma": "company", "Position": "title",
        "Telefon": "phone", "Land": "country", "PLZ": "zip", "Ort": "city", "Branche": "industry",
        "Mitarbeiter": "employees",
    }  # fmt: skip
    people = crowd.meet(430, "DE DE DE DE DE FR GB US ES")
    country = {person.firm.name: person.firm.land.code for person in people}
    rows = written(random, people, [])
    for row in rows:
        cells = row.cells
        code = country.get(cells["company"])
        if code is not None and cells["country"] != "DE":
            cells["country"] = GERMAN[code]
        cells["industry"] = GERMAN_INDUSTRY.get(cells["industry"], cells["industry"])
        cells["employees"] = {"1,200": "1.200", "130": "ca. 130"}.get(cells["employees"], cells["employees"])
    change(
        rows, 23, lambda cells: cells.update(first_name=cells["first_name"].upper(), company=cells["company"].upper())
    )
    change(rows, 41, lambda cells: cells.update(first_name=f"Dr. {cells['first_name']}", title=""))
    office = people[3].firm
    for place, (first, last) in enumerate((("Marlies", "Empfang"), ("Kurt", "Zentrale"), ("Marlies", "Empfang"))):
        _insert(rows, 90 + 60 * place, "again" if place == 2 else "lead", first_name=first, last_name=last,
                email=f"info@{office.domain}", company=office.name, country="Deutschland")  # fmt: skip
    _insert(rows, 200, "lead", first_name="Rolf", last_name="Rohrbach", email="rolf@rohrbach-rohre.example",
            company='Rohrbach 5" Rohre GmbH', country="Deutschland")  # fmt: skip
    lines = _lines(rows, names, delimiter=";", plain="Rohrbach")
    lines.insert(150, ";" * 10)
    lines.insert(
        260, 'Gerd;Gänsefuß;gerd@gaensefuss.example;"Gänsefuß Verlag GmbH;Leiter Technik;;Deutschland;30159;Hannover;;'
    )
    lines.append("")
    lines.append(f"Summe: {len(rows) + 1} Kontakte" + ";" * 10)
    fates = _fates(rows) + Counter({"aside": 2, "reject or warned": 1, "blank line": 1})
    return {"trade-show/messe-hannover.csv": ("".join(f"{line}\r\n" for line in lines).encode("cp1252"), fates)}


def partner_list(crowd: Crowd) -> Files:
    """A list that a partner kept in a spreadsheet for years."""
    random, names = crowd.random, {
        "Contact": "contact", "Email": "email", "Phone": "phone", "Company Name": "company", "Website": "website",
        "Industry": "industry", "# Employees": "employees", "Annual Revenue": "annual_revenue", "City": "city",
        "State": "state", "Zip": "zip", "Opt Out": "opt_out",
    }  # fmt: skip
    rows = written(random, crowd.meet(380, "US"), crowd.known(40, "US"))
    for row in rows:
        cells = row.cells
        first, last = cells["first_name"], cells["last_name"].strip()
        cells["contact"] = pick(
            random, (f"{first} {last}", f"{first} {last}", f"{last}, {first}", f"{first} J. {last}")
        )
        domain = cells["email"].strip().rpartition("@")[2].lower()
        cells["website"] = (
            pick(random, ("", f"www.{domain}", f"https://{domain}/")) if row.fate in ("lead", "again") else ""
        )
        cells["zip"] = cells["zip"].lstrip("0")
        cells["opt_out"] = pick(random, ("", "No", "no", "N", "", "", "Yes"))
    change(
        rows,
        19,
        lambda cells: cells.update(city=f"{cells['city']}\n({cells['state']})", contact=cells["contact"].upper()),
    )
    change(rows, 29, lambda cells: cells.update(company=cells["company"].replace(" ", "\n", 1)))
    change(
        rows,
        31,
        lambda cells: cells.update(
            contact=f"Dr. {cells['contact']}, PhD" if "," not in cells["contact"] else cells["contact"]
        ),
    )
    change(rows, 43, lambda cells: cells.update(phone=f"{cells['phone']} x12" if cells["phone"] else ""))
    change(rows, 47, lambda cells: cells.update(phone="555-0143"), "warned")
    lines = _lines(rows, names)
    lines.append(f"Total: {len(rows)}" + "," * 11)
    return {"partner-list/partner-list-us.csv": (_text(lines), _fates(rows) + Counter({"aside": 1}))}


def website(crowd: Crowd) -> Files:
    """Contact requests exported from the site, in our own column names: no source file is needed."""
    random, names = crowd.random, (
        "created_at", "first_name", "last_name", "email", "phone", "company", "title", "country", "zip", "product",
        "budget", "timeline", "description",
    )  # fmt: skip
    rows = written(random, crowd.meet(330, "US GB DE FR ES PL PL BG BG"), crowd.known(45, "US GB DE FR"))
    _in_time(rows, "%d/%m/%Y %H:%M")
    code_of = {spelling: land.code for land in crowd.world.words.lands for spelling in land.spellings}
    for row in rows:
        row.cells["product"] = pick(random, ("Starter", "Team", "Enterprise", "", "team"))
        row.cells["budget"] = pick(random, ("", "", "5000", "€12.500", "10k", "$25,000", "n/a", "unknown"))
        row.cells["timeline"] = pick(random, ("", "now", "this quarter", "6 months", "just looking"))
        own = OWN_QUESTIONS.get(code_of[row.cells["country"]], "How long does the set-up take?")
        row.cells["description"] = own if random.random() < 0.4 else pick(random, QUESTIONS)
    change(rows, 17, lambda cells: cells.update(company="n/a", title="-"))
    change(rows, 21, lambda cells: cells.update(phone="0000000000"), "warned")
    for place, (first, last, email) in enumerate(
        (
            ("test", "test", "test@test.example"),
            ("asdf", "asdf", "asdf@example.com"),
            ("Test", "Lead", "test@example.org"),
        )
    ):
        _insert(rows, 50 + 70 * place, "aside", first_name=first, last_name=last, email=email, description="test")
    _insert(rows, 33, "lead", first_name="Berta", last_name="Backhaus", email="berta@bäckerei-backhaus.example")
    _insert(rows, 77, "lead", first_name="Piet", last_name="Demo", email="sluice.demo.piet@gmx.de", country="Germany")
    _insert(rows, 99, "lead", first_name="Tom", last_name="Tonne", email="demo.sluice@yopmail.com", phone="n/a")
    _insert(rows, 180, "reject", description="no name, no address: somebody pressed the button too early")
    _insert(rows, 181, "aside", created_at="")
    return {"website-export/website-export.csv": (_text(_lines(rows, {name: name for name in names})), _fates(rows))}


def company_register(crowd: Crowd) -> Files:
    """Companies without people; some twice under another name, some known from the leads of the other files."""
    random, names = crowd.random, ("external_id", "company", "street", "city", "country")
    firms = list({person.firm.id: person.firm for person in crowd.everybody}.values())
    rows = list[Row]()
    for place, firm in enumerate(random.sample(firms, 210)):
        spellings = [write_company(random, firm)] if place % 3 == 0 else [firm.name]
        if place % 12 == 0:
            spellings.append(firm.name)
        street, city, _, _ = firm.place
        for company in spellings:
            country = pick(random, firm.land.spellings)
            rows.append(Row({"company": company, "street": street, "city": city, "country": country}, "organisation"))
    random.shuffle(rows)
    for place in (44, 120, 180):
        rows[place].cells["company"] = pick(random, ("", "-", "n/a"))
        rows[place] = Row(rows[place].cells, "reject")
    for number, row in enumerate(rows, start=1):
        row.cells["external_id"] = f"HR-{number:05d}"
    lines = _lines(rows, {name: name for name in names})
    return {"company-register/company-register.csv": (_text(lines), _fates(rows))}


def _in_time(rows: Sequence[Row], pattern: str) -> None:
    for place, row in enumerate(rows):
        row.cells["created_at"] = (START + timedelta(minutes=67 * place)).strftime(pattern)


def _insert(rows: list[Row], place: int, fate: str, **cells: str) -> None:
    empty: Cells = dict.fromkeys(rows[place].cells, "")
    rows.insert(place, Row({**empty, "created_at": rows[place].cells.get("created_at", ""), **cells}, fate))


def _lines(rows: Sequence[Row], names: dict[str, str], *, delimiter: str = ",", plain: str | None = None) -> list[str]:
    """Header and records as text; a record with `plain` in it is written without any quoting."""
    lines = list[str]()
    for cells in [list(names), *([row.cells.get(field, "") for field in names.values()] for row in rows)]:
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(cells)
        written = line.getvalue().removesuffix("\n")
        lines.append(delimiter.join(cells) if plain is not None and plain in written else written)
    return lines


def _text(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _fates(rows: Sequence[Row]) -> Counter[str]:
    return Counter(row.fate for row in rows)


MAKERS: tuple[Callable[[Crowd], Files], ...] = (trade_show, webinar, partner_list, website, company_register)


def make(seed: int = 20261103) -> Files:
    """Path below the inbox → content, and how many records should become what."""
    crowd = Crowd(seed)
    return {path: made for maker in MAKERS for path, made in maker(crowd).items()}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Makes the files of samples/inbox.")
    parser.add_argument("--out", type=Path, default=Path("samples/inbox"))
    out: Path = parser.parse_args().out
    for path, (content, fates) in make().items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)
        print(f"{path}: {fates.total()} records, {dict(fates)}")


if __name__ == "__main__":
    main()
