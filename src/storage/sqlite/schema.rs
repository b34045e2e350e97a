// @generated automatically by Diesel CLI.

diesel::table! {
    activity_log (seq) {
        seq -> BigInt,
        id -> Text,
        ts -> Text,
        category -> Text,
        action -> Text,
        severity -> Text,
        actor -> Text,
        entity_type -> Nullable<Text>,
        entity_id -> Nullable<Text>,
        entity_name -> Nullable<Text>,
        message -> Text,
        metadata -> Text,
        workspace_id -> Text,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    api_keys (label) {
        label -> Text,
        id -> Text,
        secret_sha256 -> Text,
        former_sha256 -> Nullable<Text>,
        former_until -> Nullable<Text>,
        scopes -> Text,
        workspace_id -> Nullable<Text>,
        speaks_for_others -> Bool,
        created_at -> Text,
        expires_at -> Nullable<Text>,
        revoked_at -> Nullable<Text>,
        last_used_at -> Nullable<Text>,
        last_used_from -> Nullable<Text>,
    }
}

diesel::table! {
    automation (name) {
        name -> Text,
        rule -> Text,
    }
}

diesel::table! {
    automation_delivery (id) {
        id -> Text,
        name -> Text,
        made_at -> Text,
        seqs -> Text,
        count -> BigInt,
        attempts -> BigInt,
        next_at -> Text,
    }
}

diesel::table! {
    automation_position (id) {
        id -> BigInt,
        seq -> BigInt,
    }
}

diesel::table! {
    automation_standing (name) {
        name -> Text,
        standing -> Text,
    }
}

diesel::table! {
    board (workspace_id, principal, kind, id) {
        workspace_id -> Text,
        principal -> Text,
        kind -> Text,
        id -> Text,
        value -> Text,
    }
}

diesel::table! {
    book (id) {
        id -> BigInt,
        last_seq -> BigInt,
        last_ts -> Text,
        epoch -> Text,
        rolled_seq -> BigInt,
        removed -> BigInt,
        removed_upto -> BigInt,
    }
}

diesel::table! {
    cursors (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    device (id) {
        id -> Text,
        name -> Text,
        given_name -> Nullable<Text>,
        kind -> Nullable<Text>,
        host -> Nullable<Text>,
        addresses -> Text,
        port -> Nullable<BigInt>,
        txt -> Text,
        source -> Text,
        state -> Text,
        first_seen -> Text,
        last_seen -> Nullable<Text>,
        ignored -> Bool,
        health_check -> Nullable<Text>,
    }
}

diesel::table! {
    erasure (id) {
        id -> BigInt,
        workspace_id -> Text,
        actor -> Text,
        upto_seq -> BigInt,
        done_seq -> BigInt,
    }
}

diesel::table! {
    rollup (workspace_id, grain, dimension, start, value) {
        workspace_id -> Text,
        grain -> BigInt,
        dimension -> BigInt,
        start -> BigInt,
        value -> Text,
        count -> BigInt,
    }
}

diesel::table! {
    setting (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    sign_ins (token_sha256) {
        token_sha256 -> Text,
        key_id -> Text,
        key_sha256 -> Text,
        created_at -> Text,
        last_used_at -> Text,
    }
}

diesel::table! {
    skipped (first_seq) {
        first_seq -> BigInt,
        last_seq -> BigInt,
    }
}

diesel::table! {
    workspace (workspace_id) {
        workspace_id -> Text,
        floor_seq -> BigInt,
        swept_seq -> BigInt,
        title -> Nullable<Text>,
        created_at -> Nullable<Text>,
        archived_at -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    activity_log,
    api_keys,
    automation,
    automation_delivery,
    automation_position,
    automation_standing,
    board,
    book,
    cursors,
    device,
    erasure,
    rollup,
    setting,
    sign_ins,
    skipped,
    workspace,
);
