"""Where a browser is sent next: always a place of ours, below where a proxy has put the application."""

from fastapi import Request
from fastapi.responses import RedirectResponse


def there(request: Request, place: str) -> RedirectResponse:
    """Return an answer that sends a browser to a path here, which begins with one slash."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{place}", 303)
