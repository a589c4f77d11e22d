#!/bin/bash
# DevStack plugin. In local.conf:
#     enable_plugin slotwright <URL of this repository>
# It uses the database and the message queue that DevStack has, and registers the service as
# "backup" (and "database") in Keystone's catalogue.

function install_slotwright {
    setup_develop "$SLOTWRIGHT_DIR"
}

function configure_slotwright {
    sudo install -d -o "$STACK_USER" "$SLOTWRIGHT_CONF_DIR"
    # The password of the database is in it.
    install -m 600 /dev/null "$SLOTWRIGHT_CONF"
    iniset "$SLOTWRIGHT_CONF" DEFAULT debug "$ENABLE_DEBUG_LOG_LEVEL"
    iniset "$SLOTWRIGHT_CONF" database connection "$(database_connection_url slotwright)"
    iniset "$SLOTWRIGHT_CONF" storage backend sqlalchemy
    iniset "$SLOTWRIGHT_CONF" storage driver sqlalchemy
    iniset "$SLOTWRIGHT_CONF" api bind_host "$SLOTWRIGHT_HOST"
    iniset "$SLOTWRIGHT_CONF" api bind_port "$SLOTWRIGHT_PORT"
    iniset "$SLOTWRIGHT_CONF" api auth_strategy admin_token
    iniset "$SLOTWRIGHT_CONF" api admin_token "$SLOTWRIGHT_TOKEN"
    iniset_rpc_backend slotwright "$SLOTWRIGHT_CONF" DEFAULT
}

function init_slotwright {
    recreate_database slotwright utf8mb4
    slotwright-manage --config-file "$SLOTWRIGHT_CONF" db upgrade
    slotwright-manage --config-file "$SLOTWRIGHT_CONF" db check
}

function register_slotwright {
    local url="http://$SLOTWRIGHT_HOST:$SLOTWRIGHT_PORT"
    get_or_create_service slotwright-backup backup "Slotwright backups"
    get_or_create_endpoint backup "$REGION_NAME" "$url/v2/\$(project_id)s"
    get_or_create_service slotwright database "Slotwright Redis clusters"
    get_or_create_endpoint database "$REGION_NAME" "$url/v1.0/\$(project_id)s"
}

function start_slotwright {
    run_process slotwright-taskmanager "slotwright-taskmanager --config-file $SLOTWRIGHT_CONF"
    run_process slotwright-api "slotwright-api --config-file $SLOTWRIGHT_CONF"
}

function stop_slotwright {
    stop_process slotwright-api
    stop_process slotwright-taskmanager
}

function cleanup_slotwright {
    sudo rm -rf "$SLOTWRIGHT_CONF_DIR"
}

if is_service_enabled slotwright-api; then
    case "$1/$2" in
        stack/install) install_slotwright ;;
        stack/post-config) configure_slotwright ;;
        stack/extra)
            init_slotwright
            register_slotwright
            start_slotwright
            ;;
        unstack/*) stop_slotwright ;;
        clean/*) cleanup_slotwright ;;
    esac
fi
