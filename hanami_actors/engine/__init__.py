"""Where networks are computed: turns of the threads, networks in memory, jobs, direct steps."""
