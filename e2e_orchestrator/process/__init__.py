"""The only place that knows pids: starting, watching, ending and outliving children."""
