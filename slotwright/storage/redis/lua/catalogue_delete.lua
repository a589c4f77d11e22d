-- project, queue
local project = ARGV[1]
local entry = project .. '.' .. ARGV[2]
guard('catalogue')
local key = entry_key(project, ARGV[2])
if not key then
    return {'ok'}
end
local owned = has_entries(project)

call('ZREM', 'catalogue', entry)
if owned then
    call('ZREM', project .. '.catalogue', entry)
end
call('DEL', key)
return {'ok'}
