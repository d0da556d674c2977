"""What pages, tables and figures share."""
