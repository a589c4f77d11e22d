-- project, queue
local entry = ARGV[1] .. '.' .. ARGV[2]
if not call('ZSCORE', 'catalogue', entry) then
    return {'ok'}
end
local fields = call('HMGET', entry .. '.catalogue', 'p', 'p_q')
if fields[1] ~= ARGV[1] or fields[2] ~= ARGV[2] then
    return {'ok'} -- another entry under the same name
end
local owned = has_entries(ARGV[1])

call('ZREM', 'catalogue', entry)
if owned then
    call('ZREM', ARGV[1] .. '.catalogue', entry)
end
call('DEL', entry .. '.catalogue')
return {'ok'}
