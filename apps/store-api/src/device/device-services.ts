import {
  AssertionService,
  CatalogueService,
  CohortService,
  DecisionLog,
  DecisionService,
  DeltaCatalogue,
  DeviceDirectory,
  DeviceSessionService,
  DeviceSignals,
  DeviceStateService,
  DownloadService,
  ExplanationService,
  FactsBuffer,
  ImageCheckService,
  PolicyStore,
  RevisionCatalogue,
  RegistryFeedService,
  RevocationOverlay,
  SequenceService,
  SessionReader,
  SignInService,
  SignalBuffer,
  StandardModelService,
  StoreViews,
  VaultEventService,
  type Resources,
} from '#libs/operations';
import type { Metrics } from '#libs/runtime';

/** What the device surface works with: the operations, and what of them is kept in memory and kept up to date. */
export class DeviceServices {
  readonly overlay: RevocationOverlay;
  readonly policies: PolicyStore;
  readonly devices: DeviceDirectory;
  readonly facts: FactsBuffer;
  readonly observations: SignalBuffer;
  readonly signals: DeviceSignals;
  readonly views: StoreViews;
  readonly decisions: DecisionService;
  readonly decisionLog: DecisionLog;
  readonly explanations: ExplanationService;
  readonly sessions: DeviceSessionService;
  readonly sessionReader: SessionReader;
  readonly assertions: AssertionService;
  readonly sequences: SequenceService;
  readonly revisions: RevisionCatalogue;
  readonly catalogue: CatalogueService;
  readonly cohorts: CohortService;
  readonly deltas: DeltaCatalogue;
  readonly downloads: DownloadService;
  readonly vaultEvents: VaultEventService;
  readonly registryFeed: RegistryFeedService;
  readonly deviceStates: DeviceStateService;
  readonly standardModels: StandardModelService;
  readonly signIn: SignInService;
  readonly imageChecks: ImageCheckService;

  private constructor(readonly resources: Resources) {
    const { db } = resources;
    this.overlay = new RevocationOverlay(db);
    this.policies = new PolicyStore(resources);
    this.devices = new DeviceDirectory(db);
    this.facts = new FactsBuffer(db, this.devices);
    this.observations = new SignalBuffer(db, this.devices, this.facts);
    this.signals = new DeviceSignals(db, this.devices, this.policies, this.observations);
    this.views = new StoreViews(db, this.policies, this.devices);
    this.decisions = new DecisionService(resources, this.policies);
    this.decisionLog = new DecisionLog(db);
    this.explanations = new ExplanationService(resources, this.policies, this.devices);
    this.sessions = new DeviceSessionService(resources);
    this.sessionReader = new SessionReader(resources, this.overlay);
    this.assertions = new AssertionService(db);
    this.sequences = new SequenceService(db);
    this.signIn = new SignInService(resources);
    this.revisions = new RevisionCatalogue(db);
    this.catalogue = new CatalogueService(resources, this.decisions, this.revisions);
    this.cohorts = new CohortService(resources);
    this.deltas = new DeltaCatalogue(db);
    this.downloads = new DownloadService(db);
    this.vaultEvents = new VaultEventService(resources);
    this.deviceStates = new DeviceStateService(resources);
    this.registryFeed = new RegistryFeedService(resources);
    this.standardModels = new StandardModelService(resources);
    this.imageChecks = new ImageCheckService(resources, this);
  }

  /** Reads what must be known before the first request: who is revoked. */
  static async start(resources: Resources): Promise<DeviceServices> {
    const services = new DeviceServices(resources);
    await services.overlay.start();
    services.policies.start();
    services.devices.start();
    const { flushMs } = resources.settings;
    services.facts.start(flushMs);
    services.observations.start(flushMs);
    services.decisionLog.start(flushMs);
    return services;
  }

  /** How much of what devices said is not written yet, for whoever watches. */
  showBacklog(metrics: Metrics): void {
    const buffers = {
      facts: this.facts,
      observations: this.observations,
      decisions: this.decisionLog,
    };
    const help = 'What devices said and were told that is not written yet';
    metrics.gauge('writes_waiting', help, ['buffer'], (gauge) => {
      for (const [buffer, { backlog }] of Object.entries(buffers)) gauge.set({ buffer }, backlog);
    });
  }

  /** Called by Nest when the app closes, before the database does. */
  async onModuleDestroy(): Promise<void> {
    this.overlay.stop();
    this.policies.stop();
    await this.observations.stop();
    await this.facts.stop();
    await this.decisionLog.stop();
  }
}
