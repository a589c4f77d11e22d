-- name
local name = ARGV[1]
guard('pools')
if not is_pool(name) then
    return {'ok'}
end
local flavor = call('HGET', FLAVOR_OF, name)
if flavor and is_flavor(flavor, '') and call('ZCARD', flavor .. '.pools') == 1 then
    return {'in_use', flavor}
end

set_flavor(name, '')
call('ZREM', 'pools', name)
call('DEL', name .. '.pools')
return {'ok'}
