"""What happens to a study: what marks it dirty, the worker that reads and maps it, and its delivery."""
