/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_API_H
#define PARTYLINE_API_H

/*
 * What every public header of libpartyline needs: visibility, and the attributes that let a
 * compiler check a contract.
 */

#if defined(__GNUC__)
#define PARTY_API               __attribute__((visibility("default")))
#define PARTY_MUST_USE          __attribute__((warn_unused_result))
#define PARTY_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define PARTY_EXTENSION         __extension__ /* C that C++ has not */
#else
#define PARTY_API
#define PARTY_MUST_USE
#define PARTY_PRINTF(fmt, args)
#define PARTY_EXTENSION
#endif

#ifdef __cplusplus
#define PARTY_BEGIN_DECLS extern "C" {
#define PARTY_END_DECLS   }
#else
#define PARTY_BEGIN_DECLS
#define PARTY_END_DECLS
#endif

#endif
