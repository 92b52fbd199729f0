-- Applying a set writes its files afresh: its row is mended where somebody altered it.
grant update (files) on policy.set to mayfly_console;
