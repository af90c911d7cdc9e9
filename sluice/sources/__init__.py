"""How the world's records come in: files today, each as rows with a number, a line and every cell."""
