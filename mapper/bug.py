"""An exception that nobody expected, told without its message: that may quote a value of a patient."""


def place_of(bug: Exception) -> str:
    """Return module and line where an unexpected exception came from, without its message."""
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "an unknown place" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"


def unexpected(bug: Exception) -> str:
    """Return its type and place."""
    return f"unexpected {type(bug).__name__} in {place_of(bug)}"
