# delivery: opens a task's sealed token; everything else it does with that token.
path "transit/decrypt/mayfly-task-token" {
  capabilities = ["update"]
}
