/** The trust domain of the worked example (contract §6). */
export const TRUST_DOMAIN = 'example.org';
