"""How fast Lyceum starts, reads, searches and answers, measured on the real thing."""
