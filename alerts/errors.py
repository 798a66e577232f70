"""The root of the errors of `alerts`."""

from storage.records import PqwatchError


class AlertsError(PqwatchError):
    """Anything in queries, subscriptions, composing or sending that ends as one line for the user."""
