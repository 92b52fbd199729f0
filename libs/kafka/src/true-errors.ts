/**
 * Keeps Nest from replacing what a handler threw.
 * @module
 */
import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';

/**
 * Nest turns whatever an event handler throws into `{ status: 'error', message: 'Internal server error' }` before a transport sees it.
 * This filter hands the error itself on, since its type decides between a dead letter and another try.
 */
@Catch()
export class TrueErrors implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}
