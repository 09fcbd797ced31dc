"""What runs once over much: studies read, mapped and delivered side by side, stopped and resumed."""
