-- project, queue
local key = entry_key(ARGV[1], ARGV[2])
if not key then
    return {'missing'}
end
return {'ok', call('HGET', key, 'p_p')}
