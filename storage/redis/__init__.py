"""Redis (or Valkey), a module a role. The names of all keys are in `storage.keys`; docs/redis.md says what each is for."""
