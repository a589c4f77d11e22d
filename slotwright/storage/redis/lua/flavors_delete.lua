-- name, project ('' for any), whether its pools leave it
local name = ARGV[1]
guard('flavors')
if not is_flavor(name, ARGV[2]) then
    return {'ok'}
end
local project = call('HGET', name .. '.flavors', 'p')
local owned = has_flavors(project)

call('ZREM', 'flavors', name)
if owned then
    call('ZREM', project .. '.flavors', name)
end
call('DEL', name .. '.flavors')
if ARGV[3] == '1' then
    set_pools(name, {})
end
return {'ok'}
