// Vectors of the host, of which the texts use nothing.
