import {
  Field,
  GraphQLISODateTime,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from '@nestjs/graphql';

export const SigningOutcomeEnum = {
  signed: 'signed',
  repeated: 'repeated',
  pending: 'pending',
  approved: 'approved',
  refused: 'refused',
  imported: 'imported',
} as const;
registerEnumType(SigningOutcomeEnum, { name: 'SigningOutcome' });

@InputType()
export class SigningLogFilter {
  @Field(() => ID, { nullable: true }) model?: string;
  @Field(() => String, { nullable: true, description: 'Any part of it.' }) serial?: string;
  @Field(() => ID, { nullable: true }) deviceKeyId?: string;
  @Field(() => ID, { nullable: true }) signKeyId?: string;
  @Field(() => ID, { nullable: true }) apiKeyId?: string;
  @Field(() => String, { nullable: true, description: 'It came from there.' }) address?: string;
  @Field(() => SigningOutcomeEnum, { nullable: true }) outcome?: string;
  @Field(() => String, { nullable: true }) code?: string;
  @Field(() => GraphQLISODateTime, { nullable: true }) from?: Date;
  @Field(() => GraphQLISODateTime, { nullable: true, description: 'Not included.' }) until?: Date;
}

@ObjectType('SigningLogRow', {
  description: 'What became of a registration (serial-vault.md 12.2).',
})
export class SigningLogRowType {
  @Field(() => Int) seq!: number;
  @Field(() => GraphQLISODateTime) at!: Date;
  @Field(() => SigningOutcomeEnum) outcome!: string;
  @Field(() => String) code!: string;
  @Field(() => String) model!: string;
  @Field(() => String) serial!: string;
  @Field(() => Int, { nullable: true }) revision!: number | null;
  @Field(() => String) deviceKeyId!: string;
  @Field(() => String) signKeyId!: string;
  @Field(() => Int, { nullable: true }) policyRevision!: number | null;
  @Field(() => ID, { nullable: true }) apiKeyId!: string | null;
  @Field(() => String) address!: string;
  @Field(() => String) userAgent!: string;
  @Field(() => String) requestDigest!: string;
  @Field(() => String) serialRequest!: string;
  @Field(() => String) serialText!: string;
  @Field(() => String) originalModel!: string;
  @Field(() => String) originalSerial!: string;
  @Field(() => String) operator!: string;
  @Field(() => Int) thinned!: number;
  @Field(() => String) prevHash!: string;
  @Field(() => String) hash!: string;
}

@ObjectType('SigningLogPage')
export class SigningLogPageType {
  @Field(() => [SigningLogRowType]) items!: SigningLogRowType[];
  @Field(() => String, { nullable: true }) nextCursor!: string | null;
}

@ObjectType('AuditRow')
export class AuditRowType {
  @Field(() => Int) seq!: number;
  @Field(() => GraphQLISODateTime) at!: Date;
  @Field(() => String) actor!: string;
  @Field(() => String) action!: string;
  @Field(() => String) subject!: string;
  @Field(() => String) reason!: string;
  @Field(() => String, { description: 'JSON.' }) detail!: string;
  @Field(() => String) hash!: string;
}

@ObjectType('AuditPage')
export class AuditPageType {
  @Field(() => [AuditRowType]) items!: AuditRowType[];
  @Field(() => String, { nullable: true }) nextCursor!: string | null;
}

@ObjectType('ChainReport', {
  description: 'First row of each log that does not fit its hash chain; null: all fit.',
})
export class ChainReportType {
  @Field(() => Int, { nullable: true }) signingLog!: number | null;
  @Field(() => Int, { nullable: true }) auditLog!: number | null;
}
