/** Who says yes to what. `isHuman`: a session of a person, not a token (decisions 26). */
export interface ApprovalAttempt {
  readonly personId: string;
  readonly isHuman: boolean;
  readonly planHash: string;
}

export interface ApprovalSubject {
  readonly authorId: string;
  readonly lastEditorId: string;
  readonly planHash: string;
  readonly approvedBy: readonly string[];
}

/** Why a person cannot approve, or null. A second token of the author is still the author (U49). */
export function approvalProblem(attempt: ApprovalAttempt, subject: ApprovalSubject): string | null {
  if (!attempt.isHuman) return 'cannot approve with a token: a person must log in';
  if (attempt.personId === subject.authorId) return 'cannot approve your own rollout';
  if (attempt.personId === subject.lastEditorId)
    return 'cannot approve a rollout that you edited last';
  if (attempt.planHash !== subject.planHash)
    return 'cannot approve: the plan has changed since you read it';
  if (subject.approvedBy.includes(attempt.personId)) return 'cannot approve twice';
  return null;
}
