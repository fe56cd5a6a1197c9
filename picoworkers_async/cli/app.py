"""All commands, under one name."""

from __future__ import annotations

from cyclopts import App, Parameter

from ..version import __version__
from . import (
    account,
    decide,
    doctor,
    jobs,
    journal,
    login,
    posting,
    rate,
    review,
    sandbox_command,
    steering,
    watch,
)

app: App = App(
    name="picoworkers",
    help="Manage the jobs, tasks and money of a Picoworkers (SproutGigs) employer's account.",
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=(), show_default=False),
)
for _command in (
    *(account.balance, account.zones, account.categories, account.lists),
    *(jobs.jobs, jobs.job, jobs.tasks),
    *(posting.post, steering.pause, steering.resume, steering.stop, steering.restart),
    *(steering.add_positions, steering.set_speed, steering.set_ttr),
    *(account.add_workers, account.block, account.unblock, account.deposit),
    *(rate.export, rate.rate, review.review, decide.decide, watch.watch),
    *(login.login, doctor.doctor, sandbox_command.sandbox, sandbox_command.demo),
):
    app.command(_command)
app.command(journal.journal)
app.register_install_completion_command()
