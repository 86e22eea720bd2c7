-- Leases tokens of one limit. The windows are those of Redis' clock, so all processes count in the same ones.
-- KEYS[1]: hash of the meter (w: window, used: in it, before: in the one before it)
local window_ms, slides = tonumber(ARGV[1]), ARGV[2] == '1'
local wanted, least, ceiling = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local returned, returned_in = tonumber(ARGV[6]), tonumber(ARGV[7])
local unreported, told, told_in = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, into = math.floor(now / window_ms), now % window_ms
local known = redis.call('HMGET', KEYS[1], 'w', 'used', 'before')
local last, used, before = tonumber(known[1] or '-1'), tonumber(known[2] or '0'), tonumber(known[3] or '0')
if last ~= window then
  before = (last == window - 1) and used or 0
  used = 0
end
if returned_in == window then used = math.max(used - returned, 0) end
used = used + unreported
if told_in == window and told > used then used = told end

local weighing = slides and before * (1 - into / window_ms) or 0
local free = ceiling - used - weighing
local granted, wait = 0, window_ms - into
if free >= least then
  granted = math.min(wanted, free)
  used = used + granted
elseif slides and before > 0 and free + weighing >= least then
  wait = math.min(math.ceil((least - free) / before * window_ms), wait)
end
redis.call('HSET', KEYS[1], 'w', window, 'used', tostring(used), 'before', tostring(before))
redis.call('PEXPIRE', KEYS[1], window_ms * 2 + 1000)
return {tostring(granted), wait, window}
