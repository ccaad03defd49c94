"""What may happen and what it means: pure aggregates, no threads, no disk, no clock."""
