"""Who and what there is: users, projects, datasets, clusters, checkpoints."""
