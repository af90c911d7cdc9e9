"""`sluice lead`: one lead, entered by hand, shown, or explained."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.commands import opening
from flows.commands.reporting import warning_in_words
from flows.commands.terminal import plain, show, show_json, table

app = typer.Typer(help="One lead.", no_args_is_help=True, rich_markup_mode=None)

Who = Annotated[str, typer.Argument(metavar="WHO", help="Number or e-mail address of the lead.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Text = str | None


def _option(*names: str, about: str = "") -> Any:
    return typer.Option(*names, metavar="TEXT", help=about or None)


@app.command()
def add(  # arguments of a command are its options
    first_name: Annotated[Text, _option("--first-name")] = None,
    last_name: Annotated[Text, _option("--last-name")] = None,
    full_name: Annotated[Text, _option("--name", about="Full name, in place of first and last.")] = None,
    email: Annotated[Text, _option("--email")] = None,
    phone: Annotated[Text, _option("--phone")] = None,
    mobile: Annotated[Text, _option("--mobile")] = None,
    company: Annotated[Text, _option("--company")] = None,
    website: Annotated[Text, _option("--website")] = None,
    title: Annotated[Text, _option("--title", about="Job title.")] = None,
    industry: Annotated[Text, _option("--industry")] = None,
    employees: Annotated[Text, _option("--employees", about="How many the company has, e.g. 250 or 51-200.")] = None,
    city: Annotated[Text, _option("--city")] = None,
    state: Annotated[Text, _option("--state")] = None,
    zip_: Annotated[Text, _option("--zip")] = None,
    country: Annotated[Text, _option("--country", about="Name or code.")] = None,
    lead_source: Annotated[
        Text, _option("--source-channel", about="Where the lead came from; default: Manual.")
    ] = None,
    campaign: Annotated[Text, _option("--campaign")] = None,
    product: Annotated[Text, _option("--product", about="Service or product asked for.")] = None,
    budget: Annotated[Text, _option("--budget")] = None,
    timeline: Annotated[Text, _option("--timeline", about="When they want it.")] = None,
    description: Annotated[Text, _option("--note")] = None,
    owner_given: Annotated[
        Text, _option("--owner", about="Who shall own it: key, name or e-mail of a colleague.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Enter a lead by hand; it goes the very way that the rows of a file go.

    The answer is the lead with its owner; or the reasons why it cannot be one, and exit code 8.
    """
    given = {name.rstrip("_"): value for name, value in locals().items() if name != "as_json" and value is not None}
    from flows.commands.manual import enter

    with opening.office() as office:
        outcome = enter(office, given)
    if as_json:
        show_json(outcome)
    elif "lead" in outcome:
        lead = outcome["lead"]
        name = plain(lead["full_name"] or lead["company"] or lead["email"])
        show(f"Lead {lead['lead_id']}, {outcome['outcome']}: {name}")
        show(f"Score {lead['score']}, {plain(lead['band'])}; owner: {plain(outcome['owner'])}")
        for warning in outcome["warnings"]:
            show(f"[yellow]Warning:[/yellow] {plain(warning_in_words(warning))}")
        show(f"Why: `sluice lead explain {lead['lead_id']}`")
    else:
        for reason in outcome["reasons"]:
            show(f"[red]Refused:[/red] {plain(reason)}")
    raise typer.Exit(outcome["exit_code"])


@app.command("show")
def show_lead(who: Who, as_json: AsJson = False) -> None:
    """Show a lead: its values, and beside them what its latest row said, as it came."""
    from sluice import explanation

    with opening.office() as office:
        found = explanation.show(office, who)
        owner = explanation.owner_in_words(found["lead"], office.profile.teams)
    if as_json:
        show_json(found)
        return
    lead, latest = found["lead"], found["latest"]
    show(f"[bold]Lead {lead['lead_id']}[/bold] · {_state(lead)} · score {lead['score']}, {plain(lead['band'])}")
    show(f"Owner: {plain(owner)}")
    where = plain(
        f"{latest['name']}, line {latest['line']} (receipt {latest['receipt_id']}, source {latest['source']})"
    )
    heads = ("field", "value", "as it came last", "column")
    lines = [(field["label"], _text(field["value"]), field["raw"], field["column"]) for field in found["fields"]]
    show(table(heads, lines), f"It came last in {where}")
    for column, value in (lead["extra"] or {}).items():
        show(f"Not mapped: {plain(column)}: {plain(value)}")


@app.command()
def explain(who: Who, as_json: AsJson = False) -> None:
    """Say why a lead is what it is: its score, owner, origin, duplicates, changes, and what is to be done."""
    from sluice import explanation

    with opening.office() as office:
        found = explanation.explain(office, who)
    if as_json:
        show_json(found)
        return
    lead = found["lead"]
    named = " · ".join(plain(lead[name]) for name in ("full_name", "title", "company", "email", "phone") if lead[name])
    show(f"[bold]Lead {lead['lead_id']}[/bold] · {named} · {_state(lead)}")
    for title, sentences in explanation.sections(found):
        show("", f"[bold]{title}[/bold]", *(f"  {plain(sentence)}" for sentence in sentences))


def _state(lead: dict[str, Any]) -> str:
    if lead["is_flagged"]:
        return f"flagged as a possible duplicate of lead {lead['flagged_of']}"
    return plain(lead["status"])


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
