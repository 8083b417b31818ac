"""承诺书 over HTTP: letters read, signed and fetched; and checked by anybody who has their code."""
