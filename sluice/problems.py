"""Every code that a reject or a warning may carry, with the sentence a person reads and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Explanation:
    """What a code means and how to mend it, in plain words."""

    meaning: str
    fix: str


CODES: dict[str, Explanation] = {
    # the file
    "columns.too_few": Explanation(
        "The row has fewer cells than the header",
        "Add the missing cells, or quote the ones that hold a delimiter",
    ),
    "columns.too_many": Explanation(
        "The row has more cells than the header",
        "Quote the cell that holds a delimiter, or remove the surplus cells",
    ),
    "quote.unclosed": Explanation(
        "A quote was opened and never closed",
        'Close the quote, or write a quote inside a cell as ""',
    ),
    "quote.stray": Explanation(
        "A quote stands inside an unquoted cell, or text follows a closing quote",
        'Quote the whole cell and double the quotes inside: "He said ""yes"""',
    ),
    "cell.too_long": Explanation("A cell is longer than 128 KiB", "Shorten it; a lead's texts fit in far less"),
    "bytes.undecodable": Explanation(
        "Some bytes are not valid in the file's encoding",
        "Save the file as UTF-8 and check the cell",
    ),
    "nul": Explanation("The cell holds a NUL byte", "Remove it"),
    # the row
    "minimum.unmet": Explanation(
        "Too little to be a lead: a name or company, and a valid e-mail or phone, are needed",
        "Add what is missing",
    ),
    "minimum.company": Explanation("There is no company name", "Add the organisation's name"),
    "minimum.name": Explanation("A name, and a valid e-mail or phone, are needed", "Add what is missing"),
    "minimum.reachable": Explanation("There is no valid e-mail address and no valid phone", "Add or correct one"),
    "minimum.email": Explanation("There is no valid e-mail address", "Add or correct it"),
    # cells
    "invalid": Explanation("The value is not valid", "Correct it"),
    "unknown": Explanation(
        "The value is not known",
        "Use one of the listed values, or add an alias to normalization.yml",
    ),
    "ambiguous": Explanation(
        "The value can be read in two ways",
        "Write it so that it has one meaning, e.g. dates as 2026-11-22",
    ),
    "typo": Explanation(
        "The domain looks like a typing error of a great provider",
        "Check the address; it was kept as given",
    ),
    "disposable": Explanation("The address is of a throw-away provider", "Ask for a lasting address"),
    "role": Explanation("The mailbox belongs to a role, not to a person", "Ask for the person's own address"),
    "too_long": Explanation("The value was longer than its field and was cut", "Shorten it"),
    "out_of_range": Explanation("The number is outside the field's range", "Correct it"),
    "control_characters": Explanation("Control characters were removed", "Nothing needs to be done"),
    "damaged_number": Explanation(
        "A spreadsheet turned the number into scientific notation, digits are lost",
        "Format the column as text and export again",
    ),
    "zero_restored": Explanation(
        "A spreadsheet had taken leading zeros from the code; they were put back",
        "Format the column as text and export again",
    ),
    "assumed_yes": Explanation(
        "The answer could not be read and counts as an objection to being contacted",
        "Write yes or no",
    ),
    "missing": Explanation("A recommended field is empty", "Fill it in where you can"),
    "not_mapped": Explanation(
        "The column is neither mapped nor ignored; its values are kept in `extra`",
        "Map it or ignore it in the source's file",
    ),
    # a mail
    "charset.unknown": Explanation(
        "The mail names a character set that nobody knows; it was guessed", "Check the text"
    ),
    "parts.too_many": Explanation("The mail has more parts than are read; the others are kept", "Look at the mail"),
    "parts.too_deep": Explanation("Parts lie deeper in each other than is read; they are kept", "Look at the mail"),
    "mail.cut": Explanation(
        "The mail is larger than the mailbox's `max_bytes`: its beginning was read, attachments were not handed on",
        "Open it in a mail program, and drop an attached list of leads into the bucket",
    ),
    # a posted form
    "element.unreadable": Explanation(
        "This element of the body is not a filled form",
        "Ask the sender what it is; the others of the same body were taken",
    ),
    "element.other_kind": Explanation(
        "The message tells of something else than a lead",
        "Take this kind of message out of the webhook's subscriptions",
    ),
    "answers.missing": Explanation(
        "The answers are not where the source's `form:` expects them",
        "Correct `answers:` in the source's file, or the provider's template",
    ),
    "fields.too_many": Explanation("The form has more than 500 answers", "Send only what a lead needs"),
    "unreadable": Explanation("The field should hold JSON and does not", "Correct the provider's template"),
    "charset_assumed": Explanation(
        "The bytes are neither UTF-8 nor in the declared character set; they were read as Windows' Latin",
        "Send UTF-8",
    ),
    "characters_replaced": Explanation(
        "Characters that no database takes were replaced by U+FFFD", "Nothing needs to be done"
    ),
    "honeypot_filled": Explanation(
        "A field that people do not see was filled in",
        "Release it if a person wrote it",
    ),
    "filled_too_fast": Explanation("The form was filled in faster than people type", "Release it if a person wrote it"),
    "many_links": Explanation(
        "An answer holds more web addresses than people write", "Release it if a person wrote it"
    ),
    "all_alike": Explanation("All answers are the same text", "Release it if a person wrote it"),
}


def problem(field: str, code: str, found: Any = "") -> dict[str, str]:
    """A problem as a reject keeps it: where, what, what was found (cut to 200 characters) and what to do.

    Raises:
        KeyError: `code` is not in `CODES`: a code without a sentence is a bug.
    """
    explanation = CODES[code]
    shown = "" if found is None else str(found)
    return {"field": field, "code": code, "found": shown[:200], "meaning": explanation.meaning, "fix": explanation.fix}
