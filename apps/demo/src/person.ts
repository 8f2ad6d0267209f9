import TencentCloudChat, { type ChatSDK, type Profile } from "@tencentcloud/chat";
import { loadConfiguration, type Configuration, type PersonConfiguration } from "./configuration";
import { codeOf, describe } from "./failure";

/** How a person stands with the server. `refused` and `kicked` last until the person logs in again. */
export type Connection = "connecting" | "connected" | "disconnected" | "refused" | "kicked";

/** The profile of a person as far as the demo shows it. */
export interface Face {
  userId: string;
  nick: string;
  avatar: string;
}

/** What a person's page wants to know. */
export interface PersonListener {
  /** The connection changed; `detail` explains `refused` and `kicked`. */
  connectionChanged(connection: Connection, detail: string): void;
  /** The login is complete; conversations may be asked for. */
  ready(): void;
  /** A profile became known or changed. */
  faceChanged(face: Face): void;
}

/** What the SDK passes to a listener. */
export interface SdkEvent<Data> {
  data: Data;
}

const LOGIN_RUNNING = 2025;
const NUDGE_MS = 4000;

const kickReasons = new Map<TencentCloudChat.TYPES, string>([
  [TencentCloudChat.TYPES.KICKED_OUT_MULT_ACCOUNT, "Logged in at another place."],
  [TencentCloudChat.TYPES.KICKED_OUT_MULT_DEVICE, "Logged in on another device."],
  [TencentCloudChat.TYPES.KICKED_OUT_USERSIG_EXPIRED, "The signature has expired."],
  [TencentCloudChat.TYPES.KICKED_OUT_REST_API, "Logged out by an administrator."],
]);

/** One person with an SDK of their own. The SDK makes one instance per app and page, so one person per page. */
export class Person {
  readonly chat: ChatSDK;
  #settings: PersonConfiguration;
  readonly #listener: PersonListener;
  #connection: Connection = "connecting";
  #reachable = true;
  #loggedIn = false;

  constructor(configuration: Configuration, settings: PersonConfiguration, listener: PersonListener) {
    this.#settings = settings;
    this.#listener = listener;
    this.chat = TencentCloudChat.create({
      SDKAppID: configuration.sdkAppId,
      proxyServer: configuration.proxyServer,
    });
    this.chat.setLogLevel(3);
    const { EVENT } = TencentCloudChat;
    this.chat.on(EVENT.SDK_READY, () => this.#becameReady());
    this.chat.on(EVENT.NET_STATE_CHANGE, (event: SdkEvent<{ state: TencentCloudChat.TYPES }>) =>
      this.#netChanged(event.data.state),
    );
    this.chat.on(EVENT.KICKED_OUT, (event: SdkEvent<{ type: TencentCloudChat.TYPES }>) => this.#kicked(event.data.type));
    this.chat.on(EVENT.PROFILE_UPDATED, (event: SdkEvent<Profile[]>) =>
      event.data.forEach((profile) => this.#tell(profile)),
    );
    window.setInterval(() => this.#nudge(), NUDGE_MS);
  }

  get userId(): string {
    return this.#settings.userId;
  }

  get peer(): string {
    return this.#settings.peer;
  }

  get isReady(): boolean {
    return this.#loggedIn;
  }

  /** Logs in. An unreachable server is tried again without being asked. */
  async login(): Promise<void> {
    this.#become("connecting");
    await this.#attempt();
  }

  /** Logs in with the signature that `config.json` holds now, since the old one may be what failed. */
  async loginAgain(): Promise<void> {
    this.#become("connecting");
    try {
      const { people } = await loadConfiguration();
      this.#settings = people.find((person) => person.userId === this.userId) ?? this.#settings;
    } catch {
      // The signature at hand may still be good.
    }
    await this.#attempt();
  }

  async #attempt(): Promise<void> {
    try {
      await this.chat.login({ userID: this.#settings.userId, userSig: this.#settings.userSig });
    } catch (failure) {
      const code = codeOf(failure);
      const fromSdk = code >= 2000 && code < 4000;
      if (code !== LOGIN_RUNNING && !fromSdk) this.#become("refused", describe(failure));
    }
  }

  #becameReady(): void {
    this.#loggedIn = true;
    this.#reachable = true;
    this.#become("connected");
    this.#listener.ready();
    void this.#loadFaces();
  }

  #netChanged(state: TencentCloudChat.TYPES): void {
    this.#reachable = state === TencentCloudChat.TYPES.NET_STATE_CONNECTED;
    if (this.#connection === "kicked" || this.#connection === "refused") return;
    if (state === TencentCloudChat.TYPES.NET_STATE_DISCONNECTED) this.#become("disconnected");
    else this.#become(this.#reachable && this.#loggedIn ? "connected" : "connecting");
  }

  #kicked(type: TencentCloudChat.TYPES): void {
    this.#loggedIn = false;
    this.#become("kicked", kickReasons.get(type) ?? "Logged out by the server.");
  }

  // Without anything to send the SDK waits for its next periodic hello before it connects again.
  #nudge(): void {
    if (this.#connection !== "disconnected" && this.#connection !== "connecting") return;
    if (!this.#loggedIn) void this.#attempt();
    else this.chat.getMessageListHopping({ conversationID: `C2C${this.peer}`, direction: 0 }).catch(() => undefined);
  }

  async #loadFaces(): Promise<void> {
    try {
      const answer = await this.chat.getUserProfile({ userIDList: [this.userId, this.peer] });
      for (const profile of answer.data as Profile[]) this.#tell(profile);
    } catch {
      // Without profiles the page shows user ids.
    }
  }

  #tell(profile: Profile): void {
    this.#listener.faceChanged({ userId: profile.userID, nick: profile.nick, avatar: profile.avatar });
  }

  #become(connection: Connection, detail = ""): void {
    this.#connection = connection;
    this.#listener.connectionChanged(connection, detail);
  }
}
