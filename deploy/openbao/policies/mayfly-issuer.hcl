# issuer: creates task tokens by one role, and seals them; opens them again only to resume its own work after a crash.
path "auth/token/create/mayfly-task" {
  capabilities = ["update"]
}
path "transit/encrypt/mayfly-task-token" {
  capabilities = ["update"]
}
path "transit/decrypt/mayfly-task-token" {
  capabilities = ["update"]
}
