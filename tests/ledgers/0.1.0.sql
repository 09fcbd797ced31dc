CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.meta (
    key character varying(64) NOT NULL,
    value text NOT NULL
);

CREATE TABLE public.seen (
    source character varying(64) NOT NULL,
    orthanc_id character varying(64) NOT NULL,
    study_uid text NOT NULL,
    fingerprint character varying(255) NOT NULL
);

CREATE TABLE public.study (
    source character varying(64) NOT NULL,
    study_uid text NOT NULL,
    generation bigint NOT NULL,
    done_generation bigint NOT NULL,
    state character varying(16) NOT NULL,
    priority integer NOT NULL,
    not_before double precision NOT NULL,
    lease_until double precision NOT NULL,
    owner character varying(64) NOT NULL,
    attempts integer NOT NULL,
    reason text NOT NULL,
    problems text NOT NULL,
    mapping_version character varying(32) NOT NULL,
    started character varying(32) NOT NULL,
    synced_at double precision,
    marked_at double precision NOT NULL,
    failure character varying(64) NOT NULL
);

CREATE TABLE public.written (
    source character varying(64) NOT NULL COLLATE pg_catalog."C",
    study_uid text NOT NULL COLLATE pg_catalog."C",
    type character varying(64) NOT NULL,
    id character varying(64) NOT NULL,
    sha256 character varying(64) NOT NULL,
    rank character varying(32) NOT NULL COLLATE pg_catalog."C",
    version character varying(64) NOT NULL
);

INSERT INTO public.alembic_version VALUES ('0003');

INSERT INTO public.meta VALUES ('namespace', 'fd6ca7b75d9897db');
INSERT INTO public.meta VALUES ('base', 'https://pacs.example.org/fhir/id');

INSERT INTO public.seen VALUES ('orthanc', 'P1/1.2.1', '1.2.1', '00000003');
INSERT INTO public.seen VALUES ('orthanc', 'P1/1.2.2', '1.2.2', '00000006');
INSERT INTO public.seen VALUES ('orthanc', 'P2/1.2.3', '1.2.3', '00000009');
INSERT INTO public.seen VALUES ('orthanc', 'P6/1.2.9', '1.2.9', '');
INSERT INTO public.seen VALUES ('orthanc', 'P7/1.2.9', '1.2.9', '');

INSERT INTO public.study VALUES ('orthanc', '1.2.1', 1, 1, 'synced', 0, 1700000000, 1700000120, '', 0, '', '[]', '1', '2024-05-10', 1700000000, 1700000000, '');
INSERT INTO public.study VALUES ('orthanc', '1.2.2', 1, 1, 'synced', 0, 1700000000, 1700000120, '', 0, '', '[]', '1', '2024-05-11', 1700000000, 1700000000, '');
INSERT INTO public.study VALUES ('orthanc', '1.2.3', 1, 1, 'synced', 0, 1700000000, 1700000120, '', 0, '', '[]', '1', '2024-05-12', 1700000000, 1700000000, '');
INSERT INTO public.study VALUES ('orthanc', '1.2.9', 1, 1, 'parked', 0, 1700000000, 1700000120, '', 1, 'study 1.2.9 stands under 2 PatientIDs', '[]', '1', '', NULL, 1700000000, 'TwoPatients');
INSERT INTO public.study VALUES ('orthanc', '1.2.8', 2, 2, 'removed', 0, 1700000000, 1700000120, '', 0, 'study 1.2.8 is no longer here', '[]', '1', '2024-04-01', 1700000000, 1700000000, '');
INSERT INTO public.study VALUES ('orthanc', '1.2.4', 1, 1, 'parked', 0, 1700000000, 1700000120, '', 1, 'the FHIR server refuses the content: HTTP 422 (invalid)', '[]', '1', '', NULL, 1700000000, 'BundleRejected');
INSERT INTO public.study VALUES ('orthanc', '1.2.5', 1, 0, 'retrying', 0, 1700000004, 1700000120, '', 1, 'the FHIR server sees a conflict with another writer: HTTP 409', '[]', '', '', NULL, 1700000000, 'SinkBusy');
INSERT INTO public.study VALUES ('orthanc', '1.2.6', 1, 0, 'pending', 0, 1700000000, 0, '', 0, '', '[]', '', '', NULL, 1700000000, '');
INSERT INTO public.study VALUES ('orthanc', '1.2.7', 1, 0, 'syncing', 0, 1700000000, 1700000120, '0123abcd-4711-1700000000-5f0f6a2c9d9b4c1e8a7d6b5c4e3f2a1b', 1, '', '[]', '', '', NULL, 1700000000, '');

INSERT INTO public.written VALUES ('orthanc', '1.2.1', 'Endpoint', '5decad66-2262-52df-adab-14f358ae2c18', '3b917aae28889621d338b4ee3749d47831f7440efae6a53a89b73b6f399a8952', '2024-05-10', '1');
INSERT INTO public.written VALUES ('orthanc', '1.2.1', 'Device', 'dad1162a-1057-5c46-b59a-e9cd67768191', 'e637af62dec34cee013fcc2df6b2af4a6a6df5485a4b4f94212c13d1a692b229', '2024-05-10', '1');
INSERT INTO public.written VALUES ('orthanc', '1.2.1', 'ImagingStudy', '9c35e298-3552-569b-aa70-19ac7b6d9dfb', 'f34248b6f71fb0b9ae1da66c2b9255e9caa040e67c13fff9979477313fb73a40', '00000003', '1');
INSERT INTO public.written VALUES ('orthanc', '1.2.1', 'Patient', 'f4eafd87-afd2-5104-a3bf-d141e3502a0a', '', '2024-05-10', '1');
INSERT INTO public.written VALUES ('orthanc', '1.2.2', 'Patient', 'f4eafd87-afd2-5104-a3bf-d141e3502a0a', 'c419f53ce5025b7a7054598aadea72313a38406b5e674dd77c12e5c2acea72ae', '2024-05-11', '2');
INSERT INTO public.written VALUES ('orthanc', '1.2.2', 'Endpoint', '5decad66-2262-52df-adab-14f358ae2c18', '3b917aae28889621d338b4ee3749d47831f7440efae6a53a89b73b6f399a8952', '2024-05-11', '');
INSERT INTO public.written VALUES ('orthanc', '1.2.2', 'Device', 'dad1162a-1057-5c46-b59a-e9cd67768191', 'e637af62dec34cee013fcc2df6b2af4a6a6df5485a4b4f94212c13d1a692b229', '2024-05-11', '');
INSERT INTO public.written VALUES ('orthanc', '1.2.2', 'ImagingStudy', '8b92375c-17e7-5f15-a03b-fb4be3dc231e', '4377017b1e7cdb0479e4649cef12264342a4099ec483bca315534cb0d384993b', '00000003', '1');
INSERT INTO public.written VALUES ('orthanc', '1.2.3', 'Patient', '4aa6d442-b0e7-55e2-b23b-4de3dc0c7a2e', '3b0b9054a5c06a6986fc87c8051f98d22c0200047f3b84fbf2fdb7b943c5e157', '2024-05-12', '1');
INSERT INTO public.written VALUES ('orthanc', '1.2.3', 'Endpoint', '5decad66-2262-52df-adab-14f358ae2c18', '3b917aae28889621d338b4ee3749d47831f7440efae6a53a89b73b6f399a8952', '2024-05-12', '');
INSERT INTO public.written VALUES ('orthanc', '1.2.3', 'Device', 'dad1162a-1057-5c46-b59a-e9cd67768191', 'e637af62dec34cee013fcc2df6b2af4a6a6df5485a4b4f94212c13d1a692b229', '2024-05-12', '');
INSERT INTO public.written VALUES ('orthanc', '1.2.3', 'ImagingStudy', '4c0e8f90-2878-5d00-a4aa-611b709dd8e7', 'f6226e926882e9b53527f2f424eddf16e02e1e20752a32942cc4280391fc8d5c', '00000003', '1');
INSERT INTO public.written VALUES ('orthanc', '1.2.4', 'ImagingStudy', '308f9d95-3057-5388-8ad2-db2ca65c162c', '', '', '');
INSERT INTO public.written VALUES ('orthanc', '1.2.4', 'Patient', '9329ae65-e928-5ab9-bac1-b4f7363b2977', 'begun', '', '');
INSERT INTO public.written VALUES ('orthanc', '1.2.5', 'ImagingStudy', 'ecfeb1fb-3f2d-52ad-9cd6-8b06d906d06d', '', '', '');
INSERT INTO public.written VALUES ('orthanc', '1.2.5', 'Patient', 'c10c9621-5464-5b59-851a-e094078de46a', 'begun', '', '');

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.seen
    ADD CONSTRAINT seen_pkey PRIMARY KEY (source, orthanc_id);

ALTER TABLE ONLY public.study
    ADD CONSTRAINT study_pkey PRIMARY KEY (source, study_uid);

ALTER TABLE ONLY public.written
    ADD CONSTRAINT written_pkey PRIMARY KEY (source, study_uid, type, id);

CREATE INDEX seen_study ON public.seen USING btree (source, study_uid);

CREATE INDEX study_due ON public.study USING btree (state, not_before);

CREATE INDEX written_speaker ON public.written USING btree (type, id, rank, study_uid, source);
