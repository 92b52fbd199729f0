/** The dev profile's operators (contract §6): each one's password is its own name. Never used outside a developer's machine. */
export const OPERATORS = {
  viewer: ['viewer'],
  approver1: ['viewer', 'approver'],
  approver2: ['viewer', 'approver'],
  operator: ['viewer', 'operator'],
  admin: ['viewer', 'approver', 'operator', 'admin'],
};
