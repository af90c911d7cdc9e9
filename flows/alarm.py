"""Flow `alarm`: what the automations start when people should know of something."""

from __future__ import annotations

from prefect import flow

from flows.supervision import end_with_runner
from sluice.alarms import Notice
from tasks.ring import ring


@flow(name="alarm", flow_run_name="alarm · {what} · {about}", persist_result=False)
def alarm(
    what: str = "a test",
    about: str = "the alarm itself",
    text: str = "If you read this, alarms reach you.",
    link: str = "",
) -> list[str]:
    """Tells people by e-mail or webhook, whichever the environment names. Run it by hand to try out where alarms go.

    Args:
        what: What happened, in a few words.
        about: The run, source or file that it happened to.
        text: More of it.
        link: Address of a page that shows it, or its path in the UI.
    """
    end_with_runner()
    return ring(Notice(what, about, text, link))
