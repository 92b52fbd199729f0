/** `npm run help`: the commands, one line each. */
const COMMANDS = {
  'npm start': 'install what is missing and run all of Mayfly on this machine (-- --help for more)',
  'npm run demo': 'with the stack running: one task from its start to the refused login',
  'npm test': 'everything that CI runs; `npm test -- PATH` runs the tests of one path',
  'npm run model': 'explore the model of the state machines and replay it against the code (-- --samples N --traces N --seed S)',
  'npm run storm': 'everything of one tenant ends at once: when is what dead (-- --help for more)',
  'npm run bench': 'what is fast and what limits it, side by side with bare OpenBao (-- --help for more)',
  'npm run chaos': 'kill everything, everywhere, and ask the target whether anything lives that should not (-- --help for more)',
  'npm run mutation': 'change the code that must not be wrong, and count what no test notices',
  'npm run build': 'compile all libraries and services',
  'npm run typecheck': 'check all types',
  'npm run lint': 'check code style, layers and formatting',
  'npm run format': 'format all files',
  'npx mayfly --help': 'the command line: tasks, secrets, grants, policies',
};

for (const [command, what] of Object.entries(COMMANDS)) console.log(`${command.padEnd(20)}${what}`);
