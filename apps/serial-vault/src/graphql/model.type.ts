import {
  Field,
  GraphQLISODateTime,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from '@nestjs/graphql';
import { resultOf } from './outcomes.js';

export const DuplicatePolicyEnum = {
  refuse: 'refuse',
  hold: 'hold',
  reissue: 'reissue',
  allow: 'allow',
} as const;
registerEnumType(DuplicatePolicyEnum, {
  name: 'DuplicatePolicy',
  description:
    'What happens when a known serial comes with another device key (serial-vault.md 6.3, S2).',
});
export const BodyPolicyEnum = { copy: 'copy', none: 'none' } as const;
registerEnumType(BodyPolicyEnum, { name: 'BodyPolicy' });
export const SerialFormEnum = { strict: 'strict', legacy: 'legacy' } as const;
registerEnumType(SerialFormEnum, { name: 'SerialForm' });
export const CheckDigitEnum = { luhn: 'luhn', mod97: 'mod97' } as const;
registerEnumType(CheckDigitEnum, {
  name: 'CheckDigit',
  description: 'Luhn over the digits, or ISO 7064 MOD 97-10 over letters and digits.',
});

@InputType({ description: 'Open from and until; either may be missing. RFC 3339.' })
export class WindowInput {
  @Field(() => String, { nullable: true }) from?: string;
  @Field(() => String, { nullable: true }) until?: string;
}

@InputType({ description: 'What is named is combined; nothing named: any well-formed serial.' })
export class EnrolmentInput {
  @Field(() => String, {
    nullable: true,
    description: 'Regular expression that the whole serial must match.',
  })
  pattern?: string;
  @Field(() => CheckDigitEnum, { nullable: true }) checkDigit?: string;
  @Field(() => Boolean, { nullable: true, description: 'Only serials that were listed.' })
  list?: boolean;
  @Field(() => Int, {
    nullable: true,
    description: 'How long a device waits for its order; left out, it is refused at once.',
  })
  lateDays?: number;
  @Field(() => Int, { nullable: true, description: 'Most devices of this model.' }) quota?: number;
  @Field(() => WindowInput, { nullable: true }) window?: WindowInput;
  @Field(() => Boolean, { nullable: true, description: 'The vault chooses the serial.' })
  assigned?: boolean;
}

@InputType({
  description: 'How devices of a model are registered; what is left out has the usual value.',
})
export class PolicyInput {
  @Field(() => ID) signingKeyId!: string;
  @Field(() => Boolean, { nullable: true, description: 'Default true.' }) needsApiKey?: boolean;
  @Field(() => Int, { nullable: true, description: '2048 to 4096; default 4096.' })
  minimumKeyBits?: number;
  @Field(() => BodyPolicyEnum, { nullable: true, description: 'Default copy.' }) body?: string;
  @Field(() => SerialFormEnum, { nullable: true, description: 'Default strict.' })
  serialForm?: string;
  @Field(() => EnrolmentInput, { nullable: true }) enrolment?: EnrolmentInput;
  @Field(() => DuplicatePolicyEnum, { nullable: true, description: 'Default hold.' })
  duplicates?: string;
  @Field(() => Int, { nullable: true }) reissueLimit?: number;
  @Field(() => Int, { nullable: true }) reissueDays?: number;
  @Field(() => Int, { nullable: true, description: 'Default 30.' }) pendingDays?: number;
}

@ObjectType('EnrolmentWindow')
export class WindowType {
  @Field(() => String, { nullable: true }) from?: string;
  @Field(() => String, { nullable: true }) until?: string;
}

@ObjectType('Enrolment')
export class EnrolmentType {
  @Field(() => String, { nullable: true }) pattern?: string;
  @Field(() => CheckDigitEnum, { nullable: true }) checkDigit?: string;
  @Field(() => Boolean, { nullable: true }) list?: boolean;
  @Field(() => Int, { nullable: true }) lateDays?: number;
  @Field(() => Int, { nullable: true }) quota?: number;
  @Field(() => WindowType, { nullable: true }) window?: WindowType;
  @Field(() => Boolean, { nullable: true }) assigned?: boolean;
}

@ObjectType('Policy')
export class PolicyType {
  @Field(() => ID) signingKeyId!: string;
  @Field(() => Boolean) needsApiKey!: boolean;
  @Field(() => Int) minimumKeyBits!: number;
  @Field(() => BodyPolicyEnum) body!: string;
  @Field(() => SerialFormEnum) serialForm!: string;
  @Field(() => EnrolmentType) enrolment!: EnrolmentType;
  @Field(() => DuplicatePolicyEnum) duplicates!: string;
  @Field(() => Int) reissueLimit!: number;
  @Field(() => Int) reissueDays!: number;
  @Field(() => Int) pendingDays!: number;
}

@ObjectType('Model', {
  description: 'A model that devices may register for, with the policy in force.',
})
export class ModelType {
  @Field(() => ID) brandId!: string;
  @Field(() => ID) model!: string;
  @Field(() => Int, { description: 'Of the newest model assertion registered.' }) revision!: number;
  @Field(() => Boolean, { description: "Here and in the store's registry." }) isActive!: boolean;
  @Field(() => String, {
    nullable: true,
    description: "Why the store's registry has it deactivated.",
  })
  registryReason!: string | null;
  @Field(() => [Int]) revokedRevisions!: number[];
  @Field(() => Int, { description: '0: none yet.' }) policyRevision!: number;
  @Field(() => PolicyType, {
    nullable: true,
    description: 'Null for a model that came from the store: nobody registers for it without one.',
  })
  policy!: PolicyType | null;
}
export const ModelResult = resultOf(ModelType, 'Model');

@ObjectType('PullReport', { description: "What came of asking for the store's registry." })
export class PullReportType {
  @Field(() => [ID], { description: 'Models that are new here, or other than before.' })
  taken!: readonly string[];
  @Field(() => [String], { description: 'What was not taken; what was known before still holds.' })
  notTaken!: readonly string[];
}
export const PullReportResult = resultOf(PullReportType, 'PullReport');

@InputType()
export class RemodelRuleInput {
  @Field(() => ID) fromModel!: string;
  @Field(() => ID) toModel!: string;
  @Field(() => String, { nullable: true, description: 'Left out: all devices of the model.' })
  fromSerial?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Makes fromSerial the first of a range: serials of the same length up to this one.',
  })
  toSerial?: string;
  @Field(() => String, { nullable: true, description: 'Only serials listed with this batch.' })
  batch?: string;
  @Field(() => GraphQLISODateTime, { nullable: true }) notBefore?: Date;
  @Field(() => GraphQLISODateTime, { nullable: true }) notAfter?: Date;
  @Field(() => Int, { nullable: true }) maxUses?: number;
  @Field(() => String, { nullable: true }) note?: string;
}

@ObjectType('RemodelRule', { description: 'Lets devices of one model become another.' })
export class RemodelRuleType {
  @Field(() => ID) id!: string;
  @Field(() => ID) fromModel!: string;
  @Field(() => ID) toModel!: string;
  @Field(() => String, { nullable: true }) fromSerial!: string | null;
  @Field(() => String, { nullable: true }) toSerial!: string | null;
  @Field(() => String, { nullable: true }) batch!: string | null;
  @Field(() => GraphQLISODateTime, { nullable: true }) notBefore!: Date | null;
  @Field(() => GraphQLISODateTime, { nullable: true }) notAfter!: Date | null;
  @Field(() => Int, { nullable: true }) maxUses!: number | null;
  @Field(() => Int) uses!: number;
  @Field(() => String) note!: string;
  @Field(() => GraphQLISODateTime, { nullable: true }) endedAt!: Date | null;
}
@ObjectType('RemodelRules')
export class RemodelRulesType {
  @Field(() => [RemodelRuleType]) items!: readonly RemodelRuleType[];
}
export const RemodelRulesResult = resultOf(RemodelRulesType, 'RemodelRules');

@ObjectType('ProductionOrder', { description: 'Serials that were announced together.' })
export class ProductionOrderType {
  @Field(() => ID) model!: string;
  @Field(() => String, { description: 'Empty: listed without one.' }) name!: string;
  @Field(() => Int) listed!: number;
  @Field(() => Int, { description: 'Of those, how many devices have come.' }) registered!: number;
  @Field(() => GraphQLISODateTime) firstListedAt!: Date;
}

@ObjectType('ListedSerials')
export class ListedSerialsType {
  @Field(() => Int, { description: 'How many were not listed before.' }) added!: number;
}
export const ListedSerialsResult = resultOf(ListedSerialsType, 'ListedSerials');
