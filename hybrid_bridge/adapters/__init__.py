"""One outside system a file or folder; thin and dull, no rule of ours lives here. Siblings never import one another."""
