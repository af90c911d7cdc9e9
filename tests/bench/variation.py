"""How one person is written twice: other case and blanks, nicknames, tags, less told, mistyped."""

from __future__ import annotations

from random import Random

from tests.bench.people import Person, pick, write_company, write_phone

COLUMNS = (
    "external_id", "first_name", "last_name", "email", "phone", "company", "title", "industry", "employees",
    "annual_revenue", "street", "city", "state", "zip", "country",
)  # fmt: skip
FIRST, LAST, EMAIL, PHONE, COMPANY = range(1, 6)
DISPENSABLE = range(6, 14)  # all between the company and the country: a phone is read with the help of the country

TAG_PROVIDERS = ("gmail.com", "outlook.com")
BROKEN_EMAILS = (
    "n/a", "-", "{local}", "{local}@", "@{domain}", "{local}.{domain}", "{local}@firm", "{local}@.{domain}",
)  # fmt: skip
BROKEN_PHONES = (
    "n/a", "12345", "call reception", "000 000", "+49 0", "ext. 12", "00000000", "+1 23", "unknown", "1-1-1",
)  # fmt: skip


def in_full(random: Random, person: Person) -> list[str]:
    """The cells of a row that tells all there is to tell; the first cell, the external id, is left empty."""
    firm, land = person.firm, person.firm.land
    phone = write_phone(land.code, person.phone, int(random.random() * 5)) if person.phone else ""
    country = land.spellings[0] if random.random() < 0.6 else pick(random, land.spellings)
    street, city, state, postal = firm.place
    return [
        "", person.first, person.last, person.email, phone, firm.name, person.title, *firm.details, street, city, state,
        postal, country,
    ]  # fmt: skip


def again(random: Random, person: Person) -> list[str]:
    """The person a second time: the same e-mail key; name, phone and company may differ or be missing."""
    cells = again_by_phone(random, person)
    cells[EMAIL] = respelled(random, person.email)
    if not person.is_role and random.random() < 0.2:
        cells[FIRST] = person.firm.land.nicknames.get(person.first, person.first[0] + ".")
    if random.random() < 0.2:
        cells[PHONE] = ""
    if random.random() < 0.2:
        cells[COMPANY] = write_company(random, person.firm) if random.random() < 0.5 else ""
    return cells


def again_by_phone(random: Random, person: Person) -> list[str]:
    """The person a second time, with phone and full name (in any case and format) and without e-mail."""
    cells = in_full(random, person)
    for place in DISPENSABLE:
        if random.random() < 0.25:
            cells[place] = ""
    case = pick(random, (str, str, str.upper, str.lower))
    cells[FIRST], cells[LAST] = case(cells[FIRST]), case(cells[LAST])
    if random.random() < 0.15:
        cells[LAST] = f" {cells[LAST]} "
    cells[EMAIL] = ""
    return cells


def respelled(random: Random, email: str) -> str:
    """The same mailbox in other letters."""
    local, domain = email.split("@")
    if domain in TAG_PROVIDERS and random.random() < 0.5:
        local += pick(random, ("+news", "+demo", "+2026", "+crm"))
    if domain == "gmail.com" and random.random() < 0.5:
        local = local.replace(".", "") if random.random() < 0.5 else f"{local[0]}.{local[1:]}"
    email, chance = f"{local}@{domain}", random.random()
    if chance < 0.2:
        return email.upper()
    return email.title() if chance < 0.4 else f" {email}" if chance < 0.5 else email


def mistyped(random: Random, person: Person) -> str:
    """A valid address that is not the person's, one slip away from it, and nobody else's."""
    local, domain = person.email.split("@")
    while True:
        place = int(random.random() * (len(local) - 1))
        here, following = local[place], local[place + 1]
        if not here.isalpha() or not following.isalpha() or here == following:
            continue
        slip = pick(random, (following + here, following, here + here + following))
        typo = local[:place] + slip + local[place + 2 :]
        if typo not in person.firm.locals:
            person.firm.locals.add(typo)
            return f"{typo}@{domain}"


def spoilt(random: Random, email: str) -> str:
    """What is left of an address after a slip that makes it none."""
    local, domain = email.split("@")
    return pick(random, (f"{local}{domain}", f"{local}@{domain.replace('.', '..')}", f"{local}@@{domain}", f"{local}@"))


def broken_email(random: Random, email: str) -> str:
    """No address at all, and none that could be guessed."""
    local, domain = email.split("@")
    return pick(random, BROKEN_EMAILS).format(local=local, domain=domain)


def broken_phone(random: Random) -> str:
    """No number in any country."""
    return pick(random, BROKEN_PHONES)
