/** In whose name an operation of publishing runs; ADMIN's principals and publishers' tokens both say so much. */
export interface Actor {
  readonly personId: string;
  /** As it stands in audit rows: `person:<id>`, `token:<id>`. */
  readonly label: string;
}
