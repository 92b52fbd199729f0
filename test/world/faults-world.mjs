/** In each test file of the project `faults`: its world is the one that may be broken. */
process.env.MAYFLY_DEV_JSON = process.env.MAYFLY_FAULTS_DEV_JSON;
