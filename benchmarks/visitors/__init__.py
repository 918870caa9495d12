"""Many visitors of the demo at once: what they do, the page they hold, the server, what it came to."""
