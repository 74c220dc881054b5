-- A store as it was at schema 0009, with data in every table. Never changes.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0009');
CREATE TABLE "events" (
	number INTEGER NOT NULL, 
	sweep_id TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	outcome TEXT NOT NULL, 
	trial BIGINT, 
	attempt INTEGER, 
	workload_name TEXT, 
	workload_id TEXT, 
	detail TEXT NOT NULL, 
	epoch BIGINT, 
	CONSTRAINT pk_events PRIMARY KEY (number), 
	CONSTRAINT fk_events_sweeps FOREIGN KEY(sweep_id) REFERENCES sweeps (id)
);
INSERT INTO "events" VALUES(1,'k3j5m7n2p4',1772366400123457,'sweep','stopped',NULL,NULL,NULL,NULL,'',NULL);
INSERT INTO "events" VALUES(2,'k3j5m7n2p4',1772366401123457,'look_up','found',3,2,'sweep-one-k3j5m7n2p4-3-2','7f8c','adopted',NULL);
INSERT INTO "events" VALUES(3,'k3j5m7n2p4',1772366400123457,'submission','adopted',1,NULL,NULL,NULL,'',NULL);
CREATE TABLE lease (
	epoch BIGINT NOT NULL, 
	instance TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	since BIGINT NOT NULL, 
	expires_at BIGINT
);
INSERT INTO "lease" VALUES(3,'00c0ffee00c0ffee','process 7 on nest (daemon)',1772366400123457,NULL);
CREATE TABLE "notices" (
	number INTEGER NOT NULL, 
	sweep_id TEXT NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	at BIGINT NOT NULL, 
	text TEXT NOT NULL, 
	due_at BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	settled_at BIGINT, 
	receiver TEXT NOT NULL, 
	CONSTRAINT pk_notices PRIMARY KEY (number), 
	CONSTRAINT fk_notices_sweeps FOREIGN KEY(sweep_id) REFERENCES sweeps (id)
);
INSERT INTO "notices" VALUES(1,'k3j5m7n2p4','stopped',1772366400123457,'why',1772366400123457,0,NULL,'SLACK_URL');
INSERT INTO "notices" VALUES(2,'k3j5m7n2p4','held',1772366400123457,'trial 1',1772366400123457,2,1772366460123457,'');
CREATE TABLE "objectives" (
	sweep_id TEXT NOT NULL, 
	trial BIGINT NOT NULL, 
	best FLOAT NOT NULL, 
	last FLOAT NOT NULL, 
	reports BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	rank FLOAT NOT NULL, 
	iterations BIGINT NOT NULL, 
	furthest_step BIGINT, 
	best_at BIGINT NOT NULL, 
	rung BIGINT NOT NULL, 
	rung_value FLOAT, 
	CONSTRAINT pk_objectives PRIMARY KEY (sweep_id, trial), 
	CONSTRAINT fk_objectives_trials FOREIGN KEY(sweep_id, trial) REFERENCES trials (sweep_id, number)
);
INSERT INTO "objectives" VALUES('k3j5m7n2p4',0,0.5,0.25,2,1772366405123457,-0.5,2,7,2,1,0.5);
INSERT INTO "objectives" VALUES('k3j5m7n2p4',2,0.75,0.75,1,1772366400123457,-0.75,1,NULL,1,0,NULL);
CREATE TABLE reports (
	number INTEGER NOT NULL, 
	sweep_id TEXT NOT NULL, 
	trial BIGINT NOT NULL, 
	"key" TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	"values" TEXT NOT NULL, 
	step BIGINT, 
	CONSTRAINT pk_reports PRIMARY KEY (number), 
	CONSTRAINT fk_reports_trials FOREIGN KEY(sweep_id, trial) REFERENCES trials (sweep_id, number), 
	CONSTRAINT uq_reports UNIQUE (sweep_id, trial, "key")
);
INSERT INTO "reports" VALUES(1,'k3j5m7n2p4',0,'0 0.5 0.0',1772366400123457,'{"loss":0.5}',NULL);
INSERT INTO "reports" VALUES(2,'k3j5m7n2p4',0,'0 0.25 5',1772366405123457,'{"loss":0.25}',NULL);
INSERT INTO "reports" VALUES(3,'k3j5m7n2p4',2,'2 0.75 0.0',1772366400123457,'{"loss":0.75}',3);
CREATE TABLE rungs (
	sweep_id TEXT NOT NULL, 
	trial BIGINT NOT NULL, 
	rung BIGINT NOT NULL, 
	value FLOAT NOT NULL, 
	rank FLOAT NOT NULL, 
	CONSTRAINT pk_rungs PRIMARY KEY (sweep_id, trial, rung), 
	CONSTRAINT fk_rungs_trials FOREIGN KEY(sweep_id, trial) REFERENCES trials (sweep_id, number)
);
INSERT INTO "rungs" VALUES('k3j5m7n2p4',0,1,0.5,-0.5);
CREATE TABLE "submissions" (
	sweep_id TEXT NOT NULL, 
	trial BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	workload_name TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	intent_at BIGINT NOT NULL, 
	gpus TEXT NOT NULL, 
	sent_at BIGINT, 
	looked_up_at BIGINT, 
	next_call_at BIGINT, 
	workload_id TEXT, 
	created_at BIGINT, 
	phase VARCHAR(20) NOT NULL, 
	phase_since BIGINT, 
	seen_at BIGINT, 
	running_since BIGINT, 
	first_running_at BIGINT, 
	running_seconds FLOAT NOT NULL, 
	preemptions INTEGER NOT NULL, 
	resumes INTEGER NOT NULL, 
	quick_stops INTEGER NOT NULL, 
	calls_failed INTEGER NOT NULL, 
	resume_sent_at BIGINT, 
	suspend_sent_at BIGINT, 
	delete_sent_at BIGINT, 
	missing_since BIGINT, 
	ended_at BIGINT, 
	exit_code BIGINT, 
	reason TEXT NOT NULL, 
	lost_since BIGINT, 
	CONSTRAINT pk_submissions PRIMARY KEY (sweep_id, trial, attempt), 
	CONSTRAINT fk_submissions_trials FOREIGN KEY(sweep_id, trial) REFERENCES trials (sweep_id, number)
);
INSERT INTO "submissions" VALUES('k3j5m7n2p4',0,2,'sweep-one-k3j5m7n2p4-0-2','fedcba9876543210',1772366401123457,'1/3',1772366402123457,1772366403123457,1772366404123457,'7f8c',1772366405123457,'Running',1772366406123457,1772366407123457,1772366408123457,1772366409123457,3.00000000000000044408e-01,1,2,3,4,1772366410123457,1772366411123457,1772366412123457,1772366413123457,1772366414123457,137,'évincé 🛑 ',1772366415123459);
INSERT INTO "submissions" VALUES('k3j5m7n2p4',1,1,'sweep-one-k3j5m7n2p4-0-1','fedcba9876543210',1772366400123457,'0',NULL,NULL,NULL,NULL,NULL,'Unknown',NULL,NULL,NULL,NULL,0.0,0,0,0,0,NULL,NULL,NULL,NULL,1772366404123457,NULL,'',NULL);
INSERT INTO "submissions" VALUES('k3j5m7n2p4',2,1,'sweep-one-k3j5m7n2p4-0-1','fedcba9876543210',1772366400123457,'0',NULL,NULL,NULL,NULL,NULL,'Unknown',NULL,NULL,NULL,NULL,0.0,0,0,0,0,NULL,NULL,NULL,NULL,1772366460123457,NULL,'',NULL);
INSERT INTO "submissions" VALUES('k3j5m7n2p4',1,2,'sweep-one-k3j5m7n2p4-0-2','fedcba9876543210',1772366400123457,'0',NULL,NULL,NULL,NULL,NULL,'Unknown',NULL,NULL,NULL,NULL,0.0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL);
CREATE TABLE "sweeps" (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	slug TEXT NOT NULL, 
	definition TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	method TEXT NOT NULL, 
	seed TEXT NOT NULL, 
	planned TEXT, 
	directory TEXT NOT NULL, 
	control_plane TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	objective TEXT, 
	goal VARCHAR(20), 
	project_id TEXT, 
	cluster_id TEXT, 
	report_port INTEGER, 
	state VARCHAR(20) NOT NULL, 
	stop_reason TEXT NOT NULL, 
	rejection TEXT NOT NULL, 
	rejections INTEGER NOT NULL, 
	ended_at BIGINT, 
	next_number BIGINT NOT NULL, 
	first_running_at BIGINT, 
	frozen TEXT, 
	thawed_at BIGINT, 
	blocked TEXT, 
	late_at BIGINT, 
	summary_at BIGINT, 
	forgiven INTEGER NOT NULL, 
	rungs TEXT NOT NULL, 
	enqueued TEXT NOT NULL, 
	CONSTRAINT pk_sweeps PRIMARY KEY (id)
);
INSERT INTO "sweeps" VALUES('k3j5m7n2p4','sweep one','sweep-one','{"method":"grid","parameters":{"lr":{"values":[0.1,0.0001]}}}','0123456789abcdef','grid','-0x400000000000000000','0x1d6329f1c35ca4bfabb9f5610000000000','somewhere','local',1772366400123457,'loss','maximize','project','cluster',34567,'stopped','3 trials failed: “limits.failures”','no',2,1772366409123457,3,1772366415123457,'6 of 9 trainings are known nowhere',1772366415123458,NULL,NULL,NULL,0,'[1,3,9]','[]');
CREATE TABLE tallies (
	sweep_id TEXT NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	trials BIGINT NOT NULL, 
	CONSTRAINT pk_tallies PRIMARY KEY (sweep_id, state), 
	CONSTRAINT fk_tallies_sweeps FOREIGN KEY(sweep_id) REFERENCES sweeps (id)
);
INSERT INTO "tallies" VALUES('k3j5m7n2p4','active',2);
INSERT INTO "tallies" VALUES('k3j5m7n2p4','completed',1);
CREATE TABLE "trials" (
	sweep_id TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	params TEXT NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	state_since BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	ended_at BIGINT, 
	retries TEXT NOT NULL, 
	retry_at BIGINT, 
	failure VARCHAR(20), 
	cancel_asked_at BIGINT, 
	version INTEGER NOT NULL, 
	is_live BOOLEAN NOT NULL, 
	rung BIGINT NOT NULL, 
	halt VARCHAR(20), 
	CONSTRAINT pk_trials PRIMARY KEY (sweep_id, number), 
	CONSTRAINT fk_trials_sweeps FOREIGN KEY(sweep_id) REFERENCES sweeps (id)
);
INSERT INTO "trials" VALUES('k3j5m7n2p4',0,'{"z":0.0001,"a":[1,1.0,true,null,"x"],"m":{"nested":{}},"":""}','active',1772366415123457,1772366416123457,2,'a person must look',NULL,'{"infrastructure":2,"timeout":1}',1772366418123457,'vanished',1772366419123457,1,1,0,NULL);
INSERT INTO "trials" VALUES('k3j5m7n2p4',1,'{"lr":0.1,"layers":[64,32]}','active',1772366400123457,1772366400123457,2,'',NULL,'{}',NULL,NULL,NULL,2,1,1,'park');
INSERT INTO "trials" VALUES('k3j5m7n2p4',2,'{"lr":0.2,"layers":[64,32]}','completed',1772366400123457,1772366400123457,1,'',1772366460123457,'{}',NULL,NULL,NULL,1,0,0,NULL);
CREATE TABLE "wishes" (
	number INTEGER NOT NULL, 
	sweep_id TEXT NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	at BIGINT NOT NULL, 
	trial BIGINT, 
	is_settled BOOLEAN NOT NULL, 
	workload_id TEXT, 
	failure VARCHAR(20), 
	params TEXT, 
	CONSTRAINT pk_wishes PRIMARY KEY (number), 
	CONSTRAINT fk_wishes_sweeps FOREIGN KEY(sweep_id) REFERENCES sweeps (id)
);
INSERT INTO "wishes" VALUES(1,'k3j5m7n2p4','pause',1772366400123457,NULL,1,NULL,NULL,NULL);
INSERT INTO "wishes" VALUES(2,'k3j5m7n2p4','cancel',1772366400123457,1,0,'7f8c',NULL,NULL);
CREATE INDEX submissions_open ON submissions (sweep_id, ended_at, trial, attempt) WHERE ended_at IS NULL;
CREATE INDEX submissions_by_intent ON submissions (sweep_id, intent_at);
CREATE INDEX events_of_sweep ON events (sweep_id, number);
CREATE INDEX events_of_trial ON events (sweep_id, trial, number);
CREATE INDEX notices_open ON notices (sweep_id, settled_at, due_at, number) WHERE settled_at IS NULL;
CREATE INDEX trials_live ON trials (sweep_id, is_live, number) WHERE is_live IS 1;
CREATE INDEX trials_by_state ON trials (sweep_id, state, number);
CREATE INDEX objectives_by_rank ON objectives (sweep_id, rank, trial);
CREATE INDEX rungs_by_rank ON rungs (sweep_id, rung, rank, trial, value);
CREATE INDEX wishes_open ON wishes (sweep_id, is_settled, number) WHERE is_settled IS 0;
COMMIT;
